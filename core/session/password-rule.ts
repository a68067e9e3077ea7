import { isIP } from 'node:net';

import { err, type Reply } from '../protocol/reply.ts';
import type { Settings } from '../settings.ts';
import type { ConnectionFacts } from './channel.ts';

/**
 * What a client is told that may not send a password on this connection; undefined where it may. Without TLS a password
 * is everybody's on the way (RFC 8314 section 4.1, RFC 2595 section 2.3).
 */
export function passwordRefusal(
  { secure, peer }: Pick<ConnectionFacts, 'secure' | 'peer'>,
  { cleartextLogin, tls }: Pick<Settings, 'cleartextLogin' | 'tls'>,
): Reply | undefined {
  if (secure || cleartextLogin === 'always') return undefined;
  if (cleartextLogin === 'loopback' && isThisMachine(peer.address)) return undefined;
  return tls === undefined ? noTlsHere : tlsFirst;
}

const tlsFirst = err('passwords are taken over TLS only: use STLS, or the port for POP3 over TLS');
const noTlsHere = err(
  'passwords are taken over TLS only, and this server has none: ask its operator',
  'SYS/PERM',
);

/** Whether octets to and from there leave this machine: loopback addresses and `localhost`, `unix` and `pipe` do not. */
export function isThisMachine(address: string): boolean {
  if (['unix', 'pipe', 'localhost', '::1'].includes(address)) return true;
  return isIP(address) === 4 && address.startsWith('127.');
}
