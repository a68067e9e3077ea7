import type { Socket } from 'node:net';

import { BufferPool } from '../protocol/buffer-pool.ts';
import { minRoomOctets } from '../protocol/kernel-interface.ts';
import { WireEncoder } from '../protocol/wire-encoder.ts';
import type { Turn } from './turn.ts';

/** Octets gathered before they go to the socket: few, large writes. */
const slabOctets = 64 * 1024;
/** Shared by all sessions: 4 MiB at most lie idle. */
const slabs = new BufferPool(slabOctets, 64);

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
  #soon: NodeJS.Immediate | undefined;
  #stalledSinceMs: number | undefined;
  readonly #turn: Turn;
  readonly #progressed: () => void;

  /** `progressed` is called each time a slab is on its way. */
  constructor(socket: Socket, turn: Turn, progressed: () => void) {
    this.#socket = socket;
    this.#turn = turn;
    this.#progressed = progressed;
  }

  /** When the client was first waited for; undefined while it reads what it is sent. */
  get stalledSinceMs(): number | undefined {
    return this.#stalledSinceMs;
  }

  /** Whether something that was said still waits here. */
  get hasUnsent(): boolean {
    return this.#used > 0 || this.#text !== '';
  }

  /** Adds text of one-octet characters. */
  async text(text: string): Promise<void> {
    if (this.#slab === undefined) {
      this.#text += text;
      if (this.#text.length >= slabOctets) await this.#makeRoom();
      return;
    }
    if (text.length > this.#slab.length - this.#used) await this.#makeRoom();
    if (this.#slab === undefined) return this.text(text);
    this.#used += this.#slab.write(text, this.#used, 'latin1');
  }

  /**
   * Adds a message as a multi-line response. Gives its octets as RFC 1939 section 11 counts them, or undefined where the
   * client was gone before its end. Throws a TornMessage, and leaves the end off, where they are fewer than promised.
   */
  async message(body: AsyncIterable<Uint8Array>, promisedOctets?: number): Promise<number | undefined> {
    const encoder = new WireEncoder();
    for await (const chunk of body) {
      if (!this.#socket.writable) return undefined;
      // Plain JavaScript may hand on something that has no octets, or another length: less than the message would go out.
      if (!(chunk instanceof Uint8Array))
        throw new TypeError('a message is to be read as chunks of Uint8Array');
      await this.#encode(encoder, chunk);
    }
    if (!this.#socket.writable) return undefined;
    const end = encoder.end(promisedOctets);
    if (end.length > (this.#slab?.length ?? 0) - this.#used) await this.#makeRoom();
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
    const slab = this.#slab;
    const data = slab?.subarray(0, this.#used) ?? this.#text;
    this.#text = '';
    this.#slab = undefined;
    this.#used = 0;
    if (data.length === 0 || !socket.writable) return done;
    // A slab goes back when the kernel has taken all of it, or never will.
    const isTaken = socket.write(data, 'latin1', () => slab && slabs.giveBack(slab));
    return isTaken ? done : this.#hasRead();
  }

  /** Resolves when the client has read, or is gone. */
  async #hasRead(): Promise<void> {
    this.#stalledSinceMs ??= performance.now();
    await drainedOrClosed(this.#socket);
    this.#stalledSinceMs = undefined;
  }

  /** Sends what there is because no more fits. The kernel may take slab after slab at once, so a turn can end here. */
  async #makeRoom(): Promise<void> {
    await this.flush();
    this.#progressed();
    if (this.#turn.isOver) await this.#turn.next();
  }

  async #encode(encoder: WireEncoder, chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const slab = this.#openSlab();
      const { readOctets, writtenOctets } = encoder.encodeInto(rest, slab.subarray(this.#used));
      this.#used += writtenOctets;
      rest = rest.subarray(readOctets);
      if (rest.length > 0 || slab.length - this.#used < minRoomOctets) await this.#makeRoom();
    }
  }

  #openSlab(): Buffer {
    if (this.#slab !== undefined) return this.#slab;
    const slab = slabs.take();
    this.#used = slab.write(this.#text, 'latin1');
    this.#text = '';
    this.#slab = slab;
    return slab;
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
