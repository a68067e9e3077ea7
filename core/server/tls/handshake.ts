import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';

import type { TlsFacts } from '../../session/channel.ts';

/** What a handshake takes from this side: the certificate of the moment. */
export interface Served {
  readonly context: SecureContext;
}

/** What came of it: the socket to go on with, or why there is none. */
export type Handshaken =
  | { readonly socket: TLSSocket; readonly facts: TlsFacts }
  | { readonly reason: string };

/** A handshake takes some round trips, and no more milliseconds than these. */
const handshakeTimeoutMs = 10_000;

/**
 * Makes a TLS connection of a socket that nobody reads any more; what it has buffered is taken for the client's first
 * words. Comes to nothing after `timeoutMs`, however many octets come; the socket is destroyed then. To close it, by
 * halves or not, is as it was.
 */
export async function handshake(
  socket: Socket,
  { context }: Served,
  timeoutMs = handshakeTimeoutMs,
): Promise<Handshaken> {
  if (socket.destroyed) return clientLeft;
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    // A client that means another protocol was led here by somebody (RFC 7301 section 3.2).
    ALPNProtocols: ['pop3'],
  });
  // Node ends only connections of a tls.Server at such an error; any other would stay, and do nothing.
  secured.on('_tlsError', (error: Error) => secured.destroy(error));
  // Without a listener an error would end the process; 'close' follows.
  secured.on('error', () => {});
  const outcome = await outcomeOf(secured, timeoutMs);
  if ('reason' in outcome) socket.destroy();
  return outcome;
}

const clientLeft = { reason: 'the client left' } as const;

function outcomeOf(secured: TLSSocket, timeoutMs: number): Promise<Handshaken> {
  return new Promise((resolve) => {
    const settle = (outcome: Handshaken): void => {
      clearTimeout(timer);
      secured.off('_tlsError', broke).off('end', left).off('close', left);
      resolve(outcome);
    };
    const broke = (error: Error): void => settle({ reason: reasonOf(error) });
    const left = (): void => settle(clientLeft);
    const timer = setTimeout(() => settle({ reason: `it took more than ${timeoutMs} ms` }), timeoutMs);
    secured.on('_tlsError', broke).on('end', left).on('close', left);
    secured.once('secure', () => settle({ socket: secured, facts: factsOf(secured) }));
  });
}

const factsOf = (secured: TLSSocket): TlsFacts => ({
  protocol: secured.getProtocol() ?? 'unknown',
  cipher: secured.getCipher().standardName,
});

/** Of all that OpenSSL says its reason, such as `unsupported protocol`. */
function reasonOf(error: Error): string {
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  return 'code' in error ? String(error.code) : error.message;
}
