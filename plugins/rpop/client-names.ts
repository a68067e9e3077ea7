import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

import { isSameAddress } from './networks.ts';

export interface NamesOptions {
  readonly timeoutMs: number;
  /** Addresses of name servers; left out, the system's. */
  readonly servers?: readonly string[] | undefined;
  /** The client is gone. */
  readonly signal: AbortSignal;
}

/** A host with many names is looked at by the first of them. */
const mostNames = 4;
const attempts = 2;

/**
 * The names that an address has in the DNS and that have this address in turn: anybody can give his own address any name, but not the
 * name that address. None where nothing is found in time. Never rejects.
 */
export async function namesOf(address: string, options: NamesOptions): Promise<readonly string[]> {
  const { timeoutMs, servers, signal } = options;
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / attempts), tries: attempts });
  if (servers !== undefined) resolver.setServers(servers);
  const giveUp = (): void => resolver.cancel();
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener('abort', giveUp);
  try {
    const names = (await resolver.reverse(address)).slice(0, mostNames);
    const confirmed = await Promise.all(names.map((name) => has(name, address, resolver)));
    return names.filter((_, index) => confirmed[index]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

async function has(name: string, address: string, resolver: Resolver): Promise<boolean> {
  const found = isIP(address) === 6 ? resolver.resolve6(name) : resolver.resolve4(name);
  const addresses = await found.catch((): readonly string[] => []);
  return addresses.some((one) => isSameAddress(one, address));
}
