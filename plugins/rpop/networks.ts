import { BlockList, isIP } from 'node:net';

/** Whether it is an address, or a network as `address/bits`. */
export const isNetwork = (text: string): boolean => parse(text) !== undefined;

/** Tells whether an address lies in one of these networks. Throws a TypeError where one is none. */
export function addressesIn(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of networks) {
    const network = parse(text);
    if (network === undefined) throw new TypeError(`"${text}" is no network`);
    list.addSubnet(network.address, network.bits, network.family);
  }
  return (address) => {
    const family = familyOf(address);
    return family !== undefined && list.check(address, family);
  };
}

/** Whether both are the same address, in whatever way they are written. */
export function isSameAddress(one: string, other: string): boolean {
  // With a zone (`fe80::1%eth0`) it is no network, and the same only where it is written the same.
  if (one.includes('%') || other.includes('%')) return one === other;
  return isIP(one) !== 0 && isIP(one) === isIP(other) && addressesIn([one])(other);
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parse(text: string): Network | undefined {
  const [, address = '', digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = familyOf(address);
  if (family === undefined || address.includes('%')) return undefined;
  const most = family === 'ipv4' ? 32 : 128;
  const bits = digits === undefined ? most : Number(digits);
  return bits <= most ? { address, bits, family } : undefined;
}

const families = new Map([
  [4, 'ipv4'],
  [6, 'ipv6'],
] as const);

const familyOf = (address: string): 'ipv4' | 'ipv6' | undefined => {
  const version = isIP(address);
  return version === 4 || version === 6 ? families.get(version) : undefined;
};
