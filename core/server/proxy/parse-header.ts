import { MalformedHeader, type ProxyHeader } from './header.ts';
import { parseVersion1, version1Start } from './version-1.ts';
import { parseVersion2, version2Start } from './version-2.ts';

/**
 * The header that these octets begin with, or undefined where more must come to tell. Throws a MalformedHeader as soon as
 * they cannot become one: no octet more than 107 (version 1) or 4096 (version 2) is waited for.
 */
export function parseProxyHeader(octets: Buffer): ProxyHeader | undefined {
  if (beginsAlike(octets, version1Start)) return parseVersion1(octets);
  if (beginsAlike(octets, version2Start)) return parseVersion2(octets);
  throw new MalformedHeader('it does not begin with a PROXY header');
}

function beginsAlike(octets: Buffer, start: Buffer): boolean {
  const length = Math.min(octets.length, start.length);
  return octets.subarray(0, length).equals(start.subarray(0, length));
}
