import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';

import type { Wire } from './wire.ts';

/** Datagrams to a host (RFC 5426). That one arrives is never known; that nobody is there, only where the host says so. */
export class UdpWire implements Wire {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async open(): Promise<void> {
    await this.#connected();
  }

  async send(line: Buffer): Promise<'sent' | 'refused'> {
    const socket = await this.#connected();
    return new Promise((resolve, reject) => {
      socket.send(line, (error) => {
        if (error === null) return resolve('sent');
        if ('code' in error && error.code === 'EMSGSIZE') return resolve('refused');
        this.#letGo(socket);
        reject(error);
      });
    });
  }

  async close(): Promise<void> {
    if (this.#socket !== undefined) this.#letGo(this.#socket);
  }

  async #connected(): Promise<Socket> {
    if (this.#socket !== undefined) return this.#socket;
    const { address, family } = await lookup(this.#host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4').unref();
    try {
      socket.connect(this.#port, address);
      await once(socket, 'connect');
    } catch (error) {
      socket.close();
      throw error;
    }
    // That nobody is at the port is heard of after the datagram that was sent there.
    socket.on('error', () => this.#letGo(socket));
    this.#socket = socket;
    return socket;
  }

  #letGo(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    socket.close();
  }
}
