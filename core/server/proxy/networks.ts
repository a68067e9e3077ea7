import { BlockList, isIP } from 'node:net';

import { withoutMapping } from '../address.ts';

/** Written so in a list of networks: whoever comes over a unix socket. */
const unix = 'unix';

/** A list of addresses (`::1`), networks (`10.0.0.0/8`) and `unix`, to be asked whether it has an address in it. */
export class Networks {
  readonly #list = new BlockList();
  readonly #hasUnix: boolean;

  /** Each of them is one that `isNetwork` allows; throws a RangeError for any other. */
  constructor(networks: readonly string[]) {
    this.#hasUnix = networks.includes(unix);
    for (const text of networks.filter((network) => network !== unix)) {
      const network = parse(text);
      if (network === undefined) throw new RangeError(`not an address or network: ${text}`);
      this.#list.addSubnet(network.address, network.bits, network.family);
    }
  }

  /** `address` is an IP address, or `unix` as in a Peer. */
  includes(address: string): boolean {
    const family = familyOf(withoutMapping(address));
    if (family === undefined) return address === unix && this.#hasUnix;
    return this.#list.check(withoutMapping(address).replace(/%.*/, ''), family);
  }
}

export const isNetwork = (text: string): boolean => text === unix || parse(text) !== undefined;

interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly bits: number;
}

function parse(text: string): Network | undefined {
  const [address = '', bitsText, ...more] = text.split('/');
  const family = familyOf(address);
  if (family === undefined || address.includes('%') || more.length > 0) return undefined;
  const maxBits = family === 'ipv4' ? 32 : 128;
  if (bitsText === undefined) return { address, family, bits: maxBits };
  if (!/^[0-9]{1,3}$/.test(bitsText) || Number(bitsText) > maxBits) return undefined;
  return { address, family, bits: Number(bitsText) };
}

function familyOf(address: string): Network['family'] | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
}
