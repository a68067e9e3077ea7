import type { LoginAttempt } from '../auth/login.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { isReply, type Reply } from '../protocol/reply.ts';

/** What a command wants to happen. Only the session loop makes it happen, so only the loop changes state. */
export type Outcome =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** USER: who the next command may prove to be. The loop forgets it after any other command (RFC 1939 section 7). */
  | { readonly kind: 'claim'; readonly user: string }
  | { readonly kind: 'login'; readonly attempt: LoginAttempt }
  | { readonly kind: 'receive'; readonly go: Reply; readonly take: Take }
  /** STLS: the loop says `go`, goes on over TLS and forgets what was said before. */
  | { readonly kind: 'startTls'; readonly go: Reply }
  /** XTND BBOARDS: UPDATE of this maildrop, as by QUIT, and the session goes on in another one. */
  | ({ readonly kind: 'enter' } & Entrance)
  | { readonly kind: 'quit' };

/** The way into another maildrop. */
export interface Entrance {
  /** Opens it; left out: the user's own, anew. What throws leads back to that one. */
  readonly open?: () => Promise<Maildrop>;
  /** What the client is told when it is open. */
  readonly hello: (maildrop: Maildrop) => Reply;
}

/**
 * Takes a message from the client (XTND XMIT): lines as sent, CRLF kept, byte-stuffing undone. It may stop reading
 * early; the loop reads the rest, so that message text is never run as commands.
 */
export type Take = (body: AsyncIterable<Uint8Array>) => Promise<Reply>;

/** Whether it is an outcome in form. */
export function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false;
  const member = (name: string): unknown => Reflect.get(value, name);
  const kind = member('kind');
  const isRight = typeof kind === 'string' && Object.hasOwn(forms, kind) ? forms[kind] : undefined;
  return isRight !== undefined && isRight(member);
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const isFunction = (value: unknown): boolean => typeof value === 'function';

/** What an outcome of each kind has to have. */
const forms: Readonly<Record<string, (member: (name: string) => unknown) => boolean>> = {
  reply: (member) => isReply(member('reply')),
  claim: (member) => typeof member('user') === 'string',
  login: (member) => isObject(member('attempt')),
  receive: (member) => isReply(member('go')) && isFunction(member('take')),
  startTls: (member) => isReply(member('go')),
  enter: (member) =>
    isFunction(member('hello')) && (member('open') === undefined || isFunction(member('open'))),
  quit: () => true,
};
