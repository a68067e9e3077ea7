import { isIP, SocketAddress } from 'node:net';

/** `::ffff:192.0.2.1` is an IPv4 client of a socket for both families. */
export const withoutMapping = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** The one way to write an IP address (RFC 5952), by which logs and limits know it again. */
export function canonical(address: string): string {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return withoutMapping(new SocketAddress({ address, family }).address);
}

/**
 * Who counts as one client for a limit: an IPv4 address, or the first 64 bits of an IPv6 address, all of which one customer
 * has to choose from. Undefined for what is no IP address: the clients of a unix socket have nothing to tell them apart.
 */
export const clientOf = (address: string): string | undefined => prefixOf(address, { octets: 4, groups: 4 });

/** Whose neighbours share a limit: the first 24 bits of an IPv4 address, or 48 of an IPv6 address, which is one site. */
export const networkOf = (address: string): string | undefined => prefixOf(address, { octets: 3, groups: 3 });

interface Length {
  /** Of an IPv4 address, which has 4. */
  readonly octets: number;
  /** Of an IPv6 address, which has 8 of 16 bits. */
  readonly groups: number;
}

function prefixOf(address: string, { octets, groups }: Length): string | undefined {
  const plain = withoutMapping(address);
  const family = isIP(plain);
  if (family === 0) return undefined;
  if (family === 4) return octets === 4 ? plain : plain.split('.', octets).join('.');
  const first = allGroupsOf(plain).slice(0, groups);
  return `${first.map((group) => group.toString(16)).join(':')}::/${16 * groups}`;
}

function allGroupsOf(address: string): readonly number[] {
  const [beforeGap = [], afterGap] = address.replace(/%.*/, '').split('::').map(groupsOf);
  if (afterGap === undefined) return beforeGap;
  const zeros = groupCount - beforeGap.length - afterGap.length;
  return [...beforeGap, ...Array.from({ length: zeros }, () => 0), ...afterGap];
}

const groupCount = 8;

/** An IPv4 address at the end stands for two groups, and is never among the first four. */
function groupsOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? [0, 0] : [Number.parseInt(group, 16)]));
}
