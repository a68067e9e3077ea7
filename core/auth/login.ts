import type { Secret } from '../secret.ts';

/**
 * The ways to log in, and what each one offers as proof. A plugin with a SASL mechanism of its own adds a member:
 * `declare module 'popperd' { interface LoginMethods { oauthbearer: { readonly token: Secret } } }`.
 */
export interface LoginMethods {
  readonly password: { readonly password: Secret };
}

type Attempts = {
  [M in keyof LoginMethods]: { readonly method: M; readonly user: string } & LoginMethods[M];
};

/** A client's claim to be `user`, with its proof. */
export type LoginAttempt = Attempts[keyof LoginMethods];

/** Who the session belongs to once logged in, and as which system user its maildrop is touched. */
export interface Identity {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const brand: unique symbol = Symbol.for('popperd.verdict');
const branded = { [brand]: true } as const;

/**
 * An authenticator's answer, made by `granted`, `denied` or `unavailable` and by nothing else: whatever a plugin
 * returns besides lets nobody in. Silence (`undefined`) means that the user is not one of its own.
 */
export type Verdict = { readonly [brand]: true } & (
  | { readonly kind: 'granted'; readonly identity: Identity }
  | { readonly kind: 'denied'; readonly reason: string; readonly text?: string | undefined }
  | { readonly kind: 'unavailable'; readonly cause: unknown }
);

/** The user is who he says. Throws a TypeError where the identity has no name, no home, or ids that are not ids. */
export function granted(identity: Identity): Verdict {
  const { user, uid, gid, home } = identity;
  for (const [key, id] of [['uid', uid] as const, ['gid', gid] as const]) {
    if (!Number.isSafeInteger(id) || id < 0 || id > 0xfffffffe) {
      throw new TypeError(`granted: ${key} is to be a number from 0 to 4294967294, got ${String(id)}`);
    }
  }
  if (user === '') throw new TypeError('granted: the user has no name');
  if (!home.startsWith('/')) throw new TypeError(`granted: home is to be an absolute path, got "${home}"`);
  return Object.freeze({ ...branded, kind: 'granted', identity: Object.freeze({ user, uid, gid, home }) });
}

/**
 * The proof is wrong, or the user is unknown. `reason` is for the log; the client hears one text for all (RFC 1939 section 13): that of
 * wrong passwords, or `text`, where the way to log in has words of its own. Those must not depend on the reason.
 */
export const denied = (reason: string, text?: string): Verdict =>
  Object.freeze({ ...branded, kind: 'denied', reason, text });

/** Nobody can tell just now (a back end is down): the client is told to come back (RFC 3206 section 4). */
export const unavailable = (cause: unknown): Verdict =>
  Object.freeze({ ...branded, kind: 'unavailable', cause });

export const isVerdict = (value: unknown): value is Verdict =>
  typeof value === 'object' && value !== null && brand in value;
