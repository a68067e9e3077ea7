import type { Socket } from 'node:net';

import { MalformedHeader, type ProxyHeader } from './header.ts';
import { parseProxyHeader } from './parse-header.ts';

/** So long a proxy may take for its header, in milliseconds. */
const headerTimeoutMs = 2000;

/** The connection was closed before it had sent an octet: a proxy that looks whether the port is open. */
export class NothingSent extends Error {}

/**
 * Reads the header that a connection begins with, and leaves what comes after it in the socket, which is paused: whoever
 * reads next, a session or TLS, finds the client's first octet. Rejects with a MalformedHeader or NothingSent; the socket
 * is still to be closed then.
 */
export function readProxyHeader(socket: Socket, timeoutMs = headerTimeoutMs): Promise<ProxyHeader> {
  return new Promise((resolve, reject) => {
    let octets: Buffer = Buffer.alloc(0);
    const settle = (): void => {
      clearTimeout(timer);
      socket.pause().off('data', arrived).off('end', left).off('close', left);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const left = (): void =>
      fail(octets.length === 0 ? new NothingSent() : new MalformedHeader('closed in the middle of it'));
    const arrived = (chunk: Buffer): void => {
      octets = Buffer.concat([octets, chunk]);
      const header = attempt(octets, fail);
      if (header === undefined) return;
      settle();
      if (octets.length > header.octets) socket.unshift(octets.subarray(header.octets));
      resolve(header);
    };
    const timer = setTimeout(
      () => fail(new MalformedHeader(`no whole header in ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.on('data', arrived).on('end', left).on('close', left);
  });
}

function attempt(octets: Buffer, failed: (error: Error) => void): ProxyHeader | undefined {
  try {
    return parseProxyHeader(octets);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    failed(error);
    return undefined;
  }
}
