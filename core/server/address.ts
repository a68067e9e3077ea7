import { isIP } from 'node:net';

/** `::ffff:192.0.2.1` is an IPv4 client of a socket for both families. */
export const withoutMapping = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Who counts as one client for a limit: an IPv4 address, or the first 64 bits of an IPv6 address, all of which one customer
 * has to choose from. Undefined for what is no IP address: the clients of a unix socket have nothing to tell them apart.
 */
export function networkOf(address: string): string | undefined {
  const plain = withoutMapping(address);
  const family = isIP(plain);
  if (family !== 6) return family === 4 ? plain : undefined;
  const [beforeGap = [], afterGap] = plain.replace(/%.*/, '').split('::').map(groupsOf);
  const zeros = afterGap === undefined ? 0 : groupCount - beforeGap.length - afterGap.length;
  const groups = [...beforeGap, ...Array.from({ length: zeros }, () => 0), ...(afterGap ?? [])];
  return `${groups
    .slice(0, networkGroupCount)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

const groupCount = 8;
const networkGroupCount = 4;

/** An IPv4 address at the end stands for two groups, and is never among the first four. */
function groupsOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? [0, 0] : [Number.parseInt(group, 16)]));
}
