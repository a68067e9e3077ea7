import { Resolver } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

import { pointerName } from './pointer-name.ts';

/** A name that an address has in the DNS. Anybody can give his own address any name, but not that name his address. */
export interface HostName {
  /** `agrees`: the address is one of the name's own. `not listed`: it has others. `unknown`: it has none of this family. */
  readonly kind: 'agrees' | 'not listed' | 'unknown';
  /** As the DNS has it: it may hold any octets. */
  readonly name: string;
  /** The name servers have not said so: it may be otherwise in a moment. */
  readonly isTemporary: boolean;
}

/** An address that has no name, or of which none was found in time. */
export interface NoHostName {
  readonly kind: 'no name';
  /** Of netdb.h: 1 the host is not known, 2 try again, 3 no recovery, 4 there is no name. */
  readonly errorNumber: number;
  readonly isTemporary: boolean;
}

/** What an address and its names say of each other. */
export type HostNames =
  | { readonly kind: 'names'; readonly names: readonly [HostName, ...HostName[]] }
  | NoHostName;

export interface HostLookup {
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
  /** Name servers as `address` or `address:port`; undefined: the system's. */
  readonly servers?: readonly string[] | undefined;
  /** Gives up: what has not been answered by then counts as not known for now. */
  readonly signal: AbortSignal;
}

/** A host with many names is looked at by the first of them. */
const mostNames = 4;
const attempts = 3;

/**
 * Asks name servers, and nobody else, for the names of an IP address and for the addresses of those names. Never rejects, and is
 * done within its time.
 */
export async function lookUpHost(
  address: string,
  { timeoutMs, servers, signal }: HostLookup,
): Promise<HostNames> {
  if (signal.aborted) return { kind: 'no name', errorNumber: tryAgain, isTemporary: true };
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / attempts), tries: attempts });
  if (servers !== undefined) resolver.setServers(servers);
  const giveUp = (): void => resolver.cancel();
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener('abort', giveUp);
  try {
    return await namesOf(address, resolver);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

/** Whether it is what `servers` may hold. */
export function isNameServer(text: string): boolean {
  try {
    new Resolver().setServers([text]);
    return true;
  } catch {
    return false;
  }
}

async function namesOf(address: string, resolver: Resolver): Promise<HostNames> {
  let found: readonly string[];
  try {
    found = await resolver.resolvePtr(pointerName(address));
  } catch (error) {
    return { kind: 'no name', errorNumber: errorNumberOf(error), isTemporary: isTemporary(error) };
  }
  const [first, ...others] = [...new Set(found)]
    .slice(0, mostNames)
    .map((name) => nameOf(name, address, resolver));
  if (first === undefined) return { kind: 'no name', errorNumber: noData, isTemporary: false };
  return { kind: 'names', names: [await first, ...(await Promise.all(others))] };
}

async function nameOf(name: string, address: string, resolver: Resolver): Promise<HostName> {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  try {
    const addresses = await (family === 'ipv6' ? resolver.resolve6(name) : resolver.resolve4(name));
    const listed = new BlockList();
    for (const one of addresses) listed.addAddress(one, family);
    return { kind: listed.check(address, family) ? 'agrees' : 'not listed', name, isTemporary: false };
  } catch (error) {
    return { kind: 'unknown', name, isTemporary: isTemporary(error) };
  }
}

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
