import type { Peer } from '../../session/channel.ts';
import { canonical } from '../address.ts';
import { crc32c } from './crc32c.ts';
import { MalformedHeader, type ProxyHeader } from './header.ts';

export const version2Start = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Start, version and command, family, and the length of what follows. */
const fixedOctets = 16;
/** Addresses take 216 at most; what proxies add is names and the like. */
const maxOctets = 4096;

/** Of octets that begin with `version2Start`, or with as much of it as there is. */
export function parseVersion2(octets: Buffer): ProxyHeader | undefined {
  const command = octets[12];
  if (command !== undefined && command !== local && command !== proxied)
    throw new MalformedHeader('not a command of version 2');
  if (octets.length < fixedOctets) return undefined;
  const length = fixedOctets + octets.readUInt16BE(14);
  if (length > maxOctets) throw new MalformedHeader(`${length} octets, and ${maxOctets} are allowed`);
  if (octets.length < length) return undefined;
  // What it says besides is nothing to go by: a proxy that asks whether we live has no client.
  if (command === local) return { octets: length, client: undefined };
  return { octets: length, client: clientOf(octets.subarray(0, length)) };
}

const local = 0x20;
const proxied = 0x21;

/** By the family octet: what a kind of address takes, and how it is read; a unix socket's path tells nothing. */
const families = new Map<number | undefined, Family>([
  [0x11, { octets: 12, ends: (block) => [ipEnd(block, 0, 4, 8), ipEnd(block, 4, 4, 10)] }],
  [0x21, { octets: 36, ends: (block) => [ipEnd(block, 0, 16, 32), ipEnd(block, 16, 16, 34)] }],
  [0x31, { octets: 216, ends: () => [unix, unix] }],
]);

interface Family {
  readonly octets: number;
  readonly ends: (block: Buffer) => readonly [peer: Peer, local: Peer];
}

const unix: Peer = { address: 'unix', port: 0 };
const unspecified = 0x00;

function clientOf(header: Buffer): ProxyHeader['client'] {
  const block = header.subarray(fixedOctets);
  if (header[13] === unspecified) return undefined;
  const family = families.get(header[13]);
  if (family === undefined) throw new MalformedHeader('not a stream over TCP or a unix socket');
  if (block.length < family.octets) throw new MalformedHeader('too short for its addresses');
  checkExtensions(header, fixedOctets + family.octets);
  const [peer, itsLocal] = family.ends(block);
  return { peer, local: itsLocal };
}

// oxlint-disable-next-line max-params -- four offsets of one block, written side by side above
function ipEnd(block: Buffer, start: number, octets: number, portStart: number): Peer {
  const address = block.subarray(start, start + octets);
  const text = octets === 4 ? address.join('.') : groups(address).join(':');
  return { address: canonical(text), port: block.readUInt16BE(portStart) };
}

const groups = (address: Buffer): readonly string[] =>
  Array.from({ length: 8 }, (_, index) => address.readUInt16BE(2 * index).toString(16));

const checksumType = 0x03;
const checksumOctets = 4;

/** Walks over what is added to the addresses (type, length, value). Only a checksum is looked at: it must be right. */
function checkExtensions(header: Buffer, start: number): void {
  for (let at = start; at < header.length;) {
    const valueStart = at + 3;
    const end = valueStart <= header.length ? valueStart + header.readUInt16BE(at + 1) : Infinity;
    if (end > header.length) throw new MalformedHeader('an extension that is longer than the header');
    if (header[at] === checksumType) checkChecksum(header, valueStart, end);
    at = end;
  }
}

/** It is of the whole header, with zeros where it stands. */
function checkChecksum(header: Buffer, start: number, end: number): void {
  if (end - start !== checksumOctets) throw new MalformedHeader('a checksum that is not of 4 octets');
  const zeroed = Buffer.from(header).fill(0, start, end);
  if (crc32c(zeroed) !== header.readUInt32BE(start)) throw new MalformedHeader('its checksum is wrong');
}
