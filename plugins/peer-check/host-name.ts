import { Resolver } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

import { pointerName } from './pointer-name.ts';

/** What a client's address and its host name say of each other. */
export type Finding = (
  | { readonly kind: 'agrees' | 'unknown' | 'not listed'; readonly name: string }
  /** `errorNumber` is of netdb.h: 1 the host is not known, 2 try again, 3 no recovery, 4 there is no name. */
  | { readonly kind: 'no name'; readonly errorNumber: number }
) & {
  /** The name servers have not said so: it may be otherwise in a moment. */
  readonly isTemporary: boolean;
};

export interface LookupOptions {
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
  /** Name servers as `address` or `address:port`; undefined: the system's. */
  readonly servers: readonly string[] | undefined;
  /** Gives up: what has not been answered by then counts as not known for now. */
  readonly signal: AbortSignal;
}

/** A host with many names is looked at by the first of them. */
const mostNames = 4;
const attempts = 3;

/** Asks for the name of an IP address, and for the addresses of that name. Never rejects, and is done within its time. */
export async function lookUp(address: string, options: LookupOptions): Promise<Finding> {
  const { timeoutMs, servers, signal } = options;
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / attempts), tries: attempts });
  if (servers !== undefined) resolver.setServers(servers);
  const giveUp = (): void => resolver.cancel();
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener('abort', giveUp);
  try {
    return await findingOf(address, resolver);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

async function findingOf(address: string, resolver: Resolver): Promise<Finding> {
  let names: readonly string[];
  try {
    names = (await resolver.resolvePtr(pointerName(address))).slice(0, mostNames);
  } catch (error) {
    return { kind: 'no name', errorNumber: errorNumberOf(error), isTemporary: isTemporary(error) };
  }
  const [first] = names;
  if (first === undefined) return { kind: 'no name', errorNumber: noData, isTemporary: false };
  const found = await Promise.all(names.map((name) => findingOfName(name, address, resolver)));
  return found.find(({ kind }) => kind === 'agrees') ?? found[0] ?? unknown(first, false);
}

async function findingOfName(name: string, address: string, resolver: Resolver): Promise<Finding> {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  try {
    const addresses = await (family === 'ipv6' ? resolver.resolve6(name) : resolver.resolve4(name));
    const listed = new BlockList();
    for (const one of addresses) listed.addAddress(one, family);
    return { kind: listed.check(address, family) ? 'agrees' : 'not listed', name, isTemporary: false };
  } catch (error) {
    return unknown(name, isTemporary(error));
  }
}

const unknown = (name: string, temporary: boolean): Finding => ({
  kind: 'unknown',
  name,
  isTemporary: temporary,
});

const [tryAgain, noRecovery, noData] = [2, 3, 4] as const;

const errorNumbers: ReadonlyMap<unknown, number> = new Map([
  ['ENOTFOUND', 1],
  ['ENODATA', noData],
  ['ETIMEOUT', tryAgain],
  ['ESERVFAIL', tryAgain],
  ['ECONNREFUSED', tryAgain],
  ['ECANCELLED', tryAgain],
]);

const errorNumberOf = (error: unknown): number =>
  (error instanceof Error && 'code' in error ? errorNumbers.get(error.code) : undefined) ?? noRecovery;

const isTemporary = (error: unknown): boolean => errorNumberOf(error) === tryAgain;
