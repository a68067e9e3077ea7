import { isIPv4, isIPv6 } from 'node:net';

import type { Peer } from '../../session/channel.ts';
import { canonical } from '../address.ts';
import { MalformedHeader, type ProxyHeader } from './header.ts';

export const version1Start = Buffer.from('PROXY ', 'latin1');

/** CRLF included; the longest that its grammar allows. */
const maxOctets = 107;

/** Of octets that begin with `version1Start`, or with as much of it as there is. */
export function parseVersion1(octets: Buffer): ProxyHeader | undefined {
  const end = octets.subarray(0, maxOctets).indexOf('\r\n');
  if (end < 0 && octets.length >= maxOctets) throw new MalformedHeader(`no line end in ${maxOctets} octets`);
  if (end < 0) return undefined;
  const words = octets.toString('latin1', version1Start.length, end).split(' ');
  return { octets: end + 2, client: clientOf(words) };
}

const familyTests = new Map([
  ['TCP4', isIPv4],
  // A zone is of the proxy's own interfaces and means nothing here.
  ['TCP6', (text: string): boolean => isIPv6(text) && !text.includes('%')],
]);

function clientOf([family = '', ...words]: readonly string[]): ProxyHeader['client'] {
  if (family === 'UNKNOWN') return undefined;
  const isAddress = familyTests.get(family);
  if (isAddress === undefined) throw new MalformedHeader('not TCP4, TCP6 or UNKNOWN');
  const [source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = words;
  if (![source, destination].every(isAddress)) throw new MalformedHeader(`no two addresses of ${family}`);
  if (more.length > 0) throw new MalformedHeader('more words than four');
  return { peer: endOf(source, sourcePort), local: endOf(destination, destinationPort) };
}

function endOf(address: string, port: string): Peer {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(port) || Number(port) > 65_535) throw new MalformedHeader('not a port');
  return { address: canonical(address), port: Number(port) };
}
