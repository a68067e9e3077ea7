import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';

import type { Listen } from '../settings.ts';

/** A port or unix socket that is open for clients. */
export interface Listener {
  /** As an operator writes it: `127.0.0.1:110`, `[::]:110`, `/run/popper.sock`. */
  readonly address: string;
  /** Of its socket; undefined where this Node does not tell. */
  readonly descriptor: number | undefined;
  /** No new client comes in; those that are there stay. */
  close(): Promise<void>;
}

/** A socket that another process has bound for this one, and what it is called. */
export interface SharedSocket {
  readonly descriptor: number;
  readonly address: string;
}

/**
 * Opens it, or accepts from the one that is `shared`. Throws an Error that names the address where it is taken,
 * forbidden or not of this machine. Clients may close their half and still be answered (RFC 1939 section 6); small replies are not held back (TCP_NODELAY). `failed`
 * is told of clients whom the kernel could not hand over: the next one may be luckier.
 */
export async function listen(
  where: Listen,
  accept: (socket: Socket) => void,
  failed: (error: Error) => void,
  shared?: SharedSocket,
): Promise<Listener> {
  const server = createServer(
    { allowHalfOpen: true, noDelay: true, highWaterMark: socketOctets },
    (socket) => {
      // A TCP client without an address is one that has reset already: nobody may take it for one of a unix socket.
      if (socket.localAddress === undefined || socket.remoteAddress !== undefined) accept(socket);
      else socket.destroy();
    },
  );
  if (shared !== undefined) await open(server, { fd: shared.descriptor }, shared.address);
  else if ('inherited' in where) throw new TypeError('an inherited socket has to be shared');
  else await bind(server, where);
  // Without a listener it would end the process.
  server.on('error', failed);
  return {
    address: boundAddress(server) ?? shared?.address ?? 'closed',
    descriptor: shared?.descriptor ?? descriptorOf(server),
    close: () => close(server),
  };
}

/** Node has no public way to ask. */
function descriptorOf(server: Server): number | undefined {
  const handle: unknown = Reflect.get(server, '_handle');
  const isKnown = typeof handle === 'object' && handle !== null && 'fd' in handle;
  return isKnown && typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

async function bind(server: Server, where: OwnListen): Promise<void> {
  if ('path' in where) await removeStaleSocket(where.path);
  await open(server, 'path' in where ? { path: where.path } : { ...where }, addressOf(where));
  if ('path' in where) await chmod(where.path, where.mode ?? 0o660);
}

/** Octets that a socket may hold on to in each direction before the other end must read. */
const socketOctets = 64 * 1024;

/** What popper opens itself. */
type OwnListen = Exclude<Listen, { readonly inherited: string }>;

export function addressOf(where: Listen): string {
  if ('inherited' in where) return where.inherited;
  return 'path' in where ? where.path : `${where.host ?? '*'}:${where.port}`;
}

function open(
  server: Server,
  options: ListenOptions | { readonly fd: number },
  address: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(new Error(`cannot listen on ${address}: ${reasonFor(error)}`, { cause: error }));
    server.once('error', failed);
    server.listen(options, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'another program has it; stop that one, or change listen in the configuration'],
  [
    'EACCES',
    'not allowed; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE, and a unix socket a folder that is there and may be written to',
  ],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
]);

export const reasonFor = ({ code, message }: { readonly code?: unknown; readonly message: string }): string =>
  reasons.get(code) ?? message;

/** A socket file that nobody answers on was left by a dead daemon. */
export async function removeStaleSocket(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`cannot listen on ${path}: a file that is no socket is there`);
  if (await answers(path)) throw new Error(`cannot listen on ${path}: another program has it`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Undefined for a unix socket that somebody else has bound. */
function boundAddress(server: Server): string | undefined {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return bound ?? undefined;
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Resolves once accepting is over; the callback would wait for the sessions, too.
    server.close();
    resolve();
  });
}
