import type { Socket } from 'node:net';

import { minRoomOctets } from '../protocol/kernel-interface.ts';
import { WireEncoder } from '../protocol/wire-encoder.ts';

/** Octets gathered before they go to the socket: few, large writes. */
const slabOctets = 64 * 1024;

/**
 * What goes to a client. Gathers what is said until it is flushed or a slab is full, and then waits for the client to
 * read, so that one who does not costs a slab and what the socket holds, and no more.
 */
export class Outgoing {
  readonly #socket: Socket;
  /** Short replies, which need no slab. */
  #text = '';
  #slab: Buffer | undefined;
  #used = 0;

  #blocked = false;
  #soon: NodeJS.Immediate | undefined;
  readonly #progressed: () => void;

  /** `progressed` is called each time the client has read what was in its way. */
  constructor(socket: Socket, progressed: () => void) {
    this.#socket = socket;
    this.#progressed = progressed;
  }

  /** True while the client must read before more can be sent. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Adds text of one-octet characters. */
  async text(text: string): Promise<void> {
    if (this.#slab === undefined) {
      this.#text += text;
      if (this.#text.length >= slabOctets) await this.flush();
      return;
    }
    if (text.length > this.#slab.length - this.#used) await this.flush();
    if (this.#slab === undefined) return this.text(text);
    this.#used += this.#slab.write(text, this.#used, 'latin1');
  }

  /** Adds a message as a multi-line response; gives its octets as RFC 1939 section 11 counts them. */
  async message(body: AsyncIterable<Uint8Array>): Promise<number> {
    const encoder = new WireEncoder();
    for await (const chunk of body) {
      if (!this.#socket.writable) return encoder.bodyOctets;
      await this.#encode(encoder, chunk);
    }
    const end = encoder.end();
    if (end.length > (this.#slab?.length ?? 0) - this.#used) await this.flush();
    const slab = this.#openSlab();
    slab.set(end, this.#used);
    this.#used += end.length;
    return encoder.bodyOctets;
  }

  /**
   * Flushes when nothing else can go on at once. Replies to pipelined commands leave together, and yet none is held back
   * by a command that has to wait for a disk.
   */
  flushSoon(): void {
    this.#soon ??= setImmediate(() => void this.flush());
  }

  /** Gives everything to the socket. Waits only where the client must read first. */
  flush(): Promise<void> {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    const socket = this.#socket;
    const data = this.#slab?.subarray(0, this.#used) ?? this.#text;
    this.#text = '';
    this.#slab = undefined;
    this.#used = 0;
    if (data.length === 0 || !socket.writable) return done;
    return socket.write(data, 'latin1') ? done : this.#drained();
  }

  async #encode(encoder: WireEncoder, chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const slab = this.#openSlab();
      const { readOctets, writtenOctets } = encoder.encodeInto(rest, slab.subarray(this.#used));
      this.#used += writtenOctets;
      rest = rest.subarray(readOctets);
      if (rest.length > 0 || slab.length - this.#used < minRoomOctets) await this.flush();
    }
  }

  #openSlab(): Buffer {
    if (this.#slab !== undefined) return this.#slab;
    const slab = Buffer.allocUnsafeSlow(slabOctets + this.#text.length);
    this.#used = slab.write(this.#text, 'latin1');
    this.#text = '';
    this.#slab = slab;
    return slab;
  }

  /** Resolves when the client has read, or is gone. */
  async #drained(): Promise<void> {
    this.#blocked = true;
    await drainedOrClosed(this.#socket);
    this.#blocked = false;
    this.#progressed();
  }
}

const done = Promise.resolve();

function drainedOrClosed(socket: Socket): Promise<void> {
  if (socket.destroyed) return done;
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.once('drain', settle).once('close', settle);
  });
}
