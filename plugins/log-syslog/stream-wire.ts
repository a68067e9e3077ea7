import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

import type { Wire } from './wire.ts';

export interface StreamOptions {
  readonly host: string;
  readonly port: number;
  /** With TLS (RFC 5425): the certificates that the receiver's has to lead to, as PEM, or the system's. */
  readonly tls?: { readonly ca: string | undefined };
}

const connectTimeoutMs = 10_000;
const closeTimeoutMs = 1000;
const keepAliveAfterMs = 60_000;

/** A connection over TCP or TLS on which each record says first how long it is (RFC 6587 section 3.4.1). */
export class StreamWire implements Wire {
  readonly #options: StreamOptions;
  #socket: Socket | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.#connected();
  }

  async send(line: Buffer): Promise<'sent'> {
    const socket = await this.#connected();
    const framed = Buffer.concat([Buffer.from(`${line.length} `), line]);
    return new Promise((resolve, reject) => {
      socket.write(framed, (error) => (error ? reject(error) : resolve('sent')));
    });
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.end();
    // However it ends: with an error as well.
    const closed = once(socket, 'close').catch(() => {});
    await Promise.race([closed, delay(closeTimeoutMs, undefined, { ref: false })]);
    socket.destroy();
  }

  async #connected(): Promise<Socket> {
    // One that is about to close takes nothing more.
    if (this.#socket?.writable === true) return this.#socket;
    const socket = open(this.#options);
    try {
      const signal = AbortSignal.timeout(connectTimeoutMs);
      await once(socket, this.#options.tls ? 'secureConnect' : 'connect', { signal });
    } catch (error) {
      socket.on('error', () => {}).destroy();
      throw error;
    }
    // What it says is of no interest; that it has gone is.
    socket.resume().setKeepAlive(true, keepAliveAfterMs);
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    this.#socket = socket;
    return socket;
  }
}

function open({ host, port, tls }: StreamOptions): Socket {
  if (tls === undefined) return connect({ host, port });
  const { ca } = tls;
  return connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...(ca && { ca }) });
}
