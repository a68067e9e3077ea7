import { isIP, SocketAddress } from 'node:net';

import { allowedName } from 'popperd';
import { z } from 'zod';

/** Whose lines are traced, and how long. */
export interface Target {
  readonly kind: 'user' | 'address';
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** At most so many at one time. */
export const maxTargets = 100;

/** What an operator means by a word: an IP address in any spelling, or a user. Undefined where it can be neither. */
export function targetNamed(word: string): Pick<Target, 'kind' | 'name'> | undefined {
  if (isIP(word) !== 0) return { kind: 'address', name: canonical(word) };
  return allowedName(word) && !looksLikeAddress.test(word) ? { kind: 'user', name: word } : undefined;
}

/** Who types `192.0.2.300` does not mean a user. */
const looksLikeAddress = /^[0-9]+(?:\.[0-9]+)+$/;

/** Those whose time is not over. */
export const alive = (targets: readonly Target[], nowMs: number): readonly Target[] =>
  targets.filter(({ untilMs }) => untilMs > nowMs);

export const without = (targets: readonly Target[], { kind, name }: Pick<Target, 'kind' | 'name'>) =>
  targets.filter((target) => target.kind !== kind || target.name !== name);

/** Whether somebody is among them. */
export const includes = (
  targets: readonly Target[],
  { user, address }: { readonly user: string | undefined; readonly address: string },
): boolean => targets.some(({ kind, name }) => name === (kind === 'user' ? user : address));

export const textOf = (targets: readonly Target[]): string =>
  `${JSON.stringify({ targets }, undefined, 2)}\n`;

/** The other way round. Throws a TypeError where it is something else. */
export function targetsIn(text: string): readonly Target[] {
  const parsed = fileSchema.safeParse(jsonIn(text));
  if (!parsed.success) throw new TypeError('it does not say who is to be traced: remove it');
  return parsed.data.targets;
}

const fileSchema = z.strictObject({
  targets: z
    .array(
      z.strictObject({
        kind: z.enum(['user', 'address']),
        name: z.string().min(1).max(320),
        untilMs: z.int().min(0),
      }),
    )
    .max(maxTargets),
});

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As sessions have it: an IPv4 client of a socket for both families has an IPv4 address. */
function canonical(word: string): string {
  const [address = '', zone] = word.split('%');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const plain = new SocketAddress({ address, family }).address.replace(/^::ffff:(?=\d+\.)/i, '');
  return zone === undefined ? plain : `${plain}%${zone}`;
}
