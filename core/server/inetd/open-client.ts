import { createReadStream, fstatSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { isatty, ReadStream } from 'node:tty';

import type { GivenClient } from '../daemon.ts';
import { socketPair } from './socket-pair.ts';
import type { SoleClient } from './sole-client.ts';

/** A client whose connection is in hand. */
export interface OpenClient {
  /** None where it has left before anybody looked. */
  readonly clients: readonly GivenClient[];
  /** Resolves when it has been given all that its session said; before that the process must not end. */
  readonly passedOn: Promise<void>;
}

/**
 * `descriptor` is what standard input was in the process that inetd started; `output` matters for a pipe. Rejects with an Error for
 * the operator where it is no client.
 */
export async function openClient(
  { kind, beginsWithTls }: SoleClient,
  descriptor: number,
  output: Writable,
): Promise<OpenClient> {
  const door = { proxies: undefined, beginsWithTls };
  if (kind === 'pipe') return openPipe(readableOn(descriptor), output, door);
  const socket = new Socket({ fd: descriptor, readable: true, writable: true, allowHalfOpen: true });
  // A TCP client without an address is one that has reset already: nobody may take it for one of a unix socket.
  if (socket.localAddress !== undefined && socket.remoteAddress === undefined) {
    // What it reads first ends in one.
    socket.on('error', () => {});
    if (isUnconnected(descriptor)) throw new Error(listening);
    socket.destroy();
    return { clients: [], passedOn: Promise.resolve() };
  }
  socket.setNoDelay(true);
  return { clients: [{ socket, door }], passedOn: Promise.resolve() };
}

const listening =
  'standard input is a socket that waits for clients, and not one of a client: write nowait in inetd.conf, or Accept=yes for systemd';

/** Never connected, and not one that has been reset: of that a read tells, or there is no more to be read. */
function isUnconnected(descriptor: number): boolean {
  try {
    readSync(descriptor, Buffer.alloc(1));
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTCONN';
  }
}

/** A session is served on a socket; what comes and goes by two pipes is passed on to one. */
async function openPipe(input: Readable, output: Writable, door: GivenClient['door']): Promise<OpenClient> {
  const [near, socket] = await socketPair();
  const end = { address: 'pipe', port: 0 };
  near.on('error', () => {});
  output.on('error', () => near.destroy());
  input.on('error', () => near.end());
  input.pipe(near);
  near.pipe(output, { end: false });
  const passedOn = finished(near, { writable: false })
    .catch(() => {})
    .then(() => written(output));
  return { clients: [{ socket, door, ends: { peer: end, local: end } }], passedOn };
}

/** Resolves when what was written has left the process, or never will. */
function written(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    output.write('', () => resolve());
  });
}

function readableOn(descriptor: number): Readable {
  if (isatty(descriptor)) return new ReadStream(descriptor);
  if (fstatSync(descriptor).isFIFO()) return new Socket({ fd: descriptor, readable: true });
  return createReadStream('', { fd: descriptor });
}
