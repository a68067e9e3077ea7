import { stat } from 'node:fs/promises';

import { DatagramFailure, DatagramSocket } from 'popperd';

import type { Wire } from './wire.ts';

/** The kernel's word for a receiver that has not read what is there already, and for one that takes nothing so long. */
const busy = new Set(['EAGAIN', 'ENOBUFS']);
const refused = new Set(['EMSGSIZE']);

/** Datagrams to a unix socket. Each is addressed anew, so that a syslog that was restarted is found again. */
export class UnixWire implements Wire {
  readonly #path: string;
  #socket: DatagramSocket | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    this.#socket ??= await DatagramSocket.open();
    // A name that is no path can only be found out about by sending something.
    if (!this.#path.startsWith('/')) return;
    if (!(await stat(this.#path)).isSocket()) throw new Error(`${this.#path} is no socket`);
  }

  async send(line: Buffer): Promise<'sent' | 'busy' | 'refused'> {
    this.#socket ??= await DatagramSocket.open();
    try {
      this.#socket.send(line, this.#path);
      return 'sent';
    } catch (error) {
      if (error instanceof DatagramFailure && busy.has(error.code)) return 'busy';
      if (error instanceof DatagramFailure && refused.has(error.code)) return 'refused';
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#socket?.close();
    this.#socket = undefined;
  }
}
