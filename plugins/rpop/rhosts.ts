import { isIP } from 'node:net';

import { isSameAddress } from './networks.ts';

/** Who asks to be let in as whom. */
export interface Claimant {
  /** IP address of the client. */
  readonly address: string;
  /** Its names, each of which has that address. */
  readonly names: readonly string[];
  /** Who the client says its user is. */
  readonly clientUser: string;
  /** Whose file it is. */
  readonly user: string;
}

/**
 * Whether a .rhosts file lets the claimant in: lines `host [user]`, the first that speaks of him decides, and without a user it means
 * one of the same name. `-host` and `host -user` refuse. There are no wildcards: a `+` matches nobody, nor does a netgroup, and a netgroup
 * that is to be refused refuses everybody, because it cannot be looked up.
 */
export function lets(text: string, claimant: Claimant): boolean {
  for (const line of text.split('\n')) {
    const decision = decisionOf(line, claimant);
    if (decision !== undefined) return decision === 'in';
  }
  return false;
}

type Decision = 'in' | 'out' | undefined;

function decisionOf(line: string, claimant: Claimant): Decision {
  const [host, user, ...more] = wordsOf(line);
  if (host === undefined) return undefined;
  if (host.startsWith('-')) return refuses(host, (name) => isHost(name, claimant)) ? 'out' : undefined;
  if (!isHost(host, claimant)) return undefined;
  const decision = decisionOn(user ?? claimant.user, claimant.clientUser);
  return decision === 'in' && more.length > 0 ? undefined : decision;
}

const wordsOf = (line: string): readonly string[] =>
  line
    .replace(/(?:^|[ \t])#.*/, '')
    .split(/[ \t\r]+/)
    .filter((word) => word !== '');

function decisionOn(user: string, clientUser: string): Decision {
  if (user.startsWith('-')) return refuses(user, (name) => name === clientUser) ? 'out' : undefined;
  return user === clientUser ? 'in' : undefined;
}

/** A word behind a `-`: a name, `+` for all, or `@netgroup`. */
function refuses(word: string, isOne: (name: string) => boolean): boolean {
  const name = word.slice(1);
  return name.startsWith('+') || name.startsWith('@') || isOne(name);
}

function isHost(word: string, { address, names }: Claimant): boolean {
  if (isIP(word) !== 0) return isSameAddress(word, address);
  return names.some((name) => folded(name) === folded(word));
}

const folded = (name: string): string => name.toLowerCase().replace(/\.$/, '');
