import type { Socket } from 'node:net';

import { letGo, type Pieces, piecesOf } from '../protocol/pieces.ts';
import { Slabs } from '../protocol/slabs.ts';
import { WireEncoder } from '../protocol/wire-encoder.ts';
import type { Turn } from './turn.ts';
import { written } from './written.ts';

/** Octets gathered before they go to the socket: few, large writes. */
const slabOctets = 64 * 1024;
/** Shared by all sessions. */
const slabs = new Slabs(slabOctets);

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
  /** Whether the last slab was not taken at once. */
  #isLate = false;
  /** Resolves when the client has read what waits for it; undefined while it reads what it is sent. */
  #stall: Promise<void> | undefined;
  #stalledSinceMs: number | undefined;
  readonly #turn: Turn;
  readonly #progressed: () => void;

  /** `progressed` is called each time a slab is on its way, and when the client has read what waited for it. */
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

  /** Adds text of one-octet characters. A promise only where something has to be waited for. */
  text(text: string): Promise<void> | undefined {
    if (this.#slab === undefined) {
      this.#text += text;
      return this.#text.length >= slabOctets ? this.#makeRoom() : undefined;
    }
    if (text.length > this.#slab.length - this.#used) return this.#textInNewRoom(text);
    this.#used += this.#slab.write(text, this.#used, 'latin1');
    return undefined;
  }

  /**
   * Adds a message as a multi-line response. Gives its octets as RFC 1939 section 11 counts them. Throws a TornMessage, and leaves the end off, where they are fewer than promised. A promise
   * only where something has to be waited for.
   */
  message(body: AsyncIterable<Uint8Array>, promisedOctets?: number): Sent | Promise<Sent> {
    const pieces = piecesOf(body);
    const message = { encoder: new WireEncoder(), promisedOctets };
    try {
      for (let next = pieces.nextHere?.(); next !== undefined; next = pieces.nextHere?.()) {
        if (next.done === true) return this.#endMessage(message);
        const rest = this.#add(next.value, message);
        if (rest.length > 0) return this.#messageLater(message, pieces, rest);
      }
    } catch (error) {
      void letGo(pieces);
      throw error;
    }
    return this.#messageLater(message, pieces);
  }

  /** Goes on with what there was no room for, and then with the pieces that are still to come. */
  async #messageLater(
    message: Message,
    pieces: Pieces<Uint8Array>,
    rest: Uint8Array = nothing,
  ): Promise<Sent> {
    await this.#addInNewRoom(rest, message);
    for await (const piece of { [Symbol.asyncIterator]: () => pieces }) {
      // What was said before it may have been flushed while it was waited for.
      if (this.#stall !== undefined) await this.#stall;
      if (!this.#socket.writable) return undefined;
      await this.#addInNewRoom(this.#add(piece, message), message);
    }
    return this.#endMessage(message);
  }

  #endMessage(message: Message): Sent | Promise<Sent> {
    const { encoder, promisedOctets } = message;
    if (!this.#socket.writable) return undefined;
    const end = encoder.end(promisedOctets);
    if (end.length <= this.#openSlab().length - this.#used) return this.#put(end, encoder.bodyOctets);
    return this.#makeRoom().then(() => this.#put(end, encoder.bodyOctets));
  }

  /**
   * Flushes when nothing else can go on at once. Replies to pipelined commands leave together, and yet none is held back
   * by a command that has to wait for a disk.
   */
  flushSoon(): void {
    if (this.hasUnsent) this.#soon ??= setImmediate(() => void this.flush());
  }

  /** Gives everything to the socket. A promise only where the client must read first. */
  flush(): Promise<void> | undefined {
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    this.#soon = undefined;
    if (!this.hasUnsent) return this.#stall;
    const taken = this.#slab === undefined ? this.#writeText() : this.#writeSlab(this.#slab);
    return taken === undefined ? this.#stall : this.#stallUntil(taken);
  }

  /** A promise only where so much waits already that the client must read first. */
  #writeText(): Promise<void> | undefined {
    const text = this.#text;
    this.#text = '';
    const isTaken = !this.#socket.writable || this.#socket.write(text, 'latin1');
    return isTaken ? undefined : written(this.#socket, nothing);
  }

  /** A promise only where the kernel has not taken all of it at once: another slab is not filled before it has. */
  #writeSlab(slab: Buffer): Promise<void> | undefined {
    const socket = this.#socket;
    const octets = slab.subarray(0, this.#used);
    this.#slab = undefined;
    this.#used = 0;
    if (!socket.writable) {
      slabs.giveBack(slab);
      return undefined;
    }
    if (this.#isLate) return this.#told(octets, slab);
    // Most often it is taken at once. To be told so by a callback costs more than the write does otherwise.
    socket.write(octets);
    if (socket.writableLength > 0) return this.#told(nothing, slab);
    slabs.giveBack(slab);
    return undefined;
  }

  /** Writes, and gives the slab back when the kernel has taken all of it, or never will. */
  #told(octets: Uint8Array, slab: Buffer): Promise<void> | undefined {
    const taken = written(this.#socket, octets).then(() => slabs.giveBack(slab));
    this.#isLate = this.#socket.writableLength > 0;
    return this.#isLate ? taken : undefined;
  }

  /** Resolves when the client has read, or is gone. */
  async #stallUntil(taken: Promise<void>): Promise<void> {
    this.#stalledSinceMs ??= performance.now();
    this.#stall = taken;
    await taken;
    // Another one may have begun meanwhile.
    if (this.#stall !== taken) return;
    this.#stall = undefined;
    this.#stalledSinceMs = undefined;
    this.#progressed();
  }

  /** Sends what there is because no more fits. The kernel may take slab after slab at once, so a turn can end here. */
  async #makeRoom(): Promise<void> {
    await this.flush();
    this.#progressed();
    if (this.#turn.isOver) await this.#turn.next();
  }

  async #textInNewRoom(text: string): Promise<void> {
    await this.#makeRoom();
    await this.text(text);
  }

  /** Gives what there was no room for. */
  #add(octets: Uint8Array, { encoder }: Message): Uint8Array {
    // Plain JavaScript may hand on something that has no octets, or another length: less than the message would go out.
    if (!(octets instanceof Uint8Array))
      throw new TypeError('a message is to be read as chunks of Uint8Array');
    const slab = this.#openSlab();
    const { readOctets, writtenOctets } = encoder.encodeInto(octets, slab, this.#used);
    this.#used += writtenOctets;
    return readOctets === octets.length ? nothing : octets.subarray(readOctets);
  }

  async #addInNewRoom(octets: Uint8Array, message: Message): Promise<void> {
    for (let rest = octets; rest.length > 0; rest = this.#add(rest, message)) await this.#makeRoom();
  }

  #put(octets: Uint8Array, bodyOctets: number): number {
    this.#openSlab().set(octets, this.#used);
    this.#used += octets.length;
    return bodyOctets;
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

const nothing = new Uint8Array(0);

/** Octets of a message's body; undefined where the client was gone before its end. */
type Sent = number | undefined;

/** One that is being sent. */
interface Message {
  readonly encoder: WireEncoder;
  readonly promisedOctets: number | undefined;
}
