import { crc32c } from '../crc32c.ts';

/** IP addresses and ports; IPv6 addresses are written out in version 2, which has them as octets. */
export interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** A header of version 1. */
export function version1({ source, destination, sourcePort, destinationPort }: Ends): Buffer {
  const family = source.includes(':') ? 'TCP6' : 'TCP4';
  return Buffer.from(
    `PROXY ${family} ${source} ${destination} ${sourcePort} ${destinationPort}\r\n`,
    'latin1',
  );
}

/** A header of version 2 with these extensions; command and family are what belongs there, unless they are given. */
export function version2(
  ends: Ends | { readonly raw: Buffer },
  extensions: readonly Uint8Array[] = [],
  { command = 0x21, family = familyOf(ends) }: { readonly command?: number; readonly family?: number } = {},
): Buffer {
  const block = Buffer.concat(['raw' in ends ? ends.raw : addressesOf(ends), ...extensions]);
  const fixed = Buffer.from(`\r\n\r\n\0\r\nQUIT\n${String.fromCodePoint(command, family)}\0\0`, 'latin1');
  fixed.writeUInt16BE(block.length, 14);
  return Buffer.concat([fixed, block]);
}

export function extension(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/** Fills in the checksum of a header that ends with room for it. */
export function withChecksum(header: Buffer): Buffer {
  const checked = Buffer.from(header);
  checked.writeUInt32BE(crc32c(checked), checked.length - 4);
  return checked;
}

const familyOf = (ends: Ends | { readonly raw: Buffer }): number =>
  'raw' in ends || !ends.source.includes(':') ? 0x11 : 0x21;

function addressesOf({ source, destination, sourcePort, destinationPort }: Ends): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  return Buffer.concat([octetsOf(source), octetsOf(destination), ports]);
}

function octetsOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const groups = address.split(':');
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
