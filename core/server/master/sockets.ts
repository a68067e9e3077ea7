import { lookup } from 'node:dns/promises';
import { chmod } from 'node:fs/promises';
import net, { type BoundSocket } from 'node:net';

import { type GivenHandle, holdGiven } from '../activation/given-handle.ts';
import type { Plan } from '../ipc/plan.ts';
import { addressOf, reasonFor, removeStaleSocket, type SharedSocket } from '../listener.ts';

type Where = Plan['listen'][number];

/** Whether this Node can bind a socket without accepting from it: 24.21 is the first. */
export const canShareSockets = 'BoundSocket' in net && 'isPipe' in net.BoundSocket.prototype;

/**
 * The sockets on which clients arrive. They are bound here, once, and accepted from by others: who waits in a socket's queue is
 * still there when all who accepted from it have died. Nothing here accepts.
 */
export class Sockets {
  readonly #open = new Map<string, Bound>();

  /**
   * Those of these addresses, in their order. What is open already stays the same socket; a port 0 keeps the number that it has.
   * Throws an Error that names the address which cannot be had, and leaves everything as it was.
   */
  async open(listen: readonly Where[]): Promise<readonly SharedSocket[]> {
    const made: string[] = [];
    try {
      for (const [key, where] of keysOf(listen)) {
        if (!this.#open.has(key)) {
          this.#open.set(key, await bind(where));
          made.push(key);
        }
      }
    } catch (error) {
      this.#close(made);
      throw error;
    }
    return keysOf(listen).flatMap(([key]) => {
      const bound = this.#open.get(key);
      return bound === undefined ? [] : [{ descriptor: bound.socket.fd(), address: bound.address }];
    });
  }

  /**
   * Closes all others. Fronts that still have one of them open keep it. What was inherited stays: nobody would give it again for the
   * next configuration.
   */
  keepOnly(listen: readonly Where[]): void {
    const kept = new Set(keysOf(listen).map(([key]) => key));
    const unnamed = [...this.#open].filter(([key, { isInherited }]) => !isInherited && !kept.has(key));
    this.#close(unnamed.map(([key]) => key));
  }

  close(): void {
    this.#close([...this.#open.keys()]);
  }

  #close(keys: readonly string[]): void {
    for (const key of keys) {
      this.#open.get(key)?.socket.close();
      this.#open.delete(key);
    }
  }
}

interface Bound {
  readonly socket: Pick<BoundSocket, 'fd' | 'close'> | GivenHandle;
  readonly address: string;
  readonly isInherited?: true;
}

/** Port 0 may stand there twice, and means two ports. */
function keysOf(listen: readonly Where[]): readonly (readonly [string, Where])[] {
  const seen = new Map<string, number>();
  return listen.map((where) => {
    const name = nameOf(where);
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return [times === 0 ? name : `${name} ${times}`, where];
  });
}

function nameOf(where: Where): string {
  if ('inherited' in where) return `descriptor ${where.descriptor}`;
  return 'path' in where ? where.path : JSON.stringify([where.host, where.port]);
}

async function bind(where: Where): Promise<Bound> {
  try {
    if ('inherited' in where) return hold(where);
    return 'path' in where ? await bindPath(where.path, where.mode) : await bindPort(where.host, where.port);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new Error(`cannot listen on ${addressOf(where)}: ${reasonFor(error)}`, { cause: error });
  }
}

function hold(where: Extract<Where, { readonly inherited: string }>): Bound {
  const socket = holdGiven(where);
  return { socket, address: socket.address, isInherited: true };
}

async function bindPath(path: string, mode = 0o660): Promise<Bound> {
  await removeStaleSocket(path);
  const socket = new net.BoundSocket({ path });
  try {
    await chmod(path, mode);
  } catch (error) {
    socket.close();
    throw error;
  }
  return { socket, address: path };
}

async function bindPort(host: string | undefined, port: number): Promise<Bound> {
  const socket =
    host === undefined ? bindBoth(port) : new net.BoundSocket({ host: await addressFor(host), port });
  const { family, address, port: number } = socket.address();
  return { socket, address: family === 'IPv6' ? `[${address}]:${number}` : `${address}:${number}` };
}

/** Every address of both families, or of IPv4 where the machine has no other. */
function bindBoth(port: number): BoundSocket {
  try {
    return new net.BoundSocket({ host: '::', port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return new net.BoundSocket({ host: '0.0.0.0', port });
  }
}

const addressFor = async (host: string): Promise<string> =>
  net.isIP(host) === 0 ? (await lookup(host)).address : host;
