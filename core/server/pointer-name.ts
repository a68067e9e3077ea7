import { isIP } from 'node:net';

/** Where the name of an IP address stands in the DNS: below in-addr.arpa (RFC 1035 section 3.5) or ip6.arpa (RFC 3596 section 2.5). */
export function pointerName(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  const digits = groupsOf(address).flatMap((group) => group.padStart(4, '0').split(''));
  return `${digits.toReversed().join('.')}.ip6.arpa`;
}

const groupCount = 8;

/** All eight, whatever way it is written in: a URL has groups of hexadecimal digits only, and no zone. */
function groupsOf(address: string): readonly string[] {
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`);
  const [before = [], after] = hostname
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  if (after === undefined) return before;
  const zeros = Array.from({ length: groupCount - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after];
}
