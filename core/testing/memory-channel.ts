import { BodyReader } from '../protocol/body-reader.ts';
import { Failure } from '../protocol/failure.ts';
import { minRoomOctets } from '../protocol/kernel-interface.ts';
import { type Line, LineReader, maxDroppedOctets } from '../protocol/line-reader.ts';
import { firstLine, type Lines, type Reply } from '../protocol/reply.ts';
import { WireEncoder } from '../protocol/wire-encoder.ts';
import { wireBlocks } from '../protocol/wire-lines.ts';
import type { Channel, ConnectionFacts, Ending, SentReply } from '../session/channel.ts';
import { tooEager } from '../session/start-tls.ts';
import { type Client, latin1, octetsOfSegment, type Segment } from './client.ts';

/** How a client that does not behave ends. */
export interface Departure {
  /** Why its lines end when the client has no more of them; `disconnected` if left out. */
  readonly ending?: Ending;
  /** It is gone in the middle of a reply, when it has been sent so many octets. */
  readonly afterSentOctets?: number;
}

/** Who said what, in the order in which it was said. */
export interface Turn {
  readonly by: 'client' | 'server';
  readonly octets: Uint8Array;
}

const slabOctets = 16 * 1024;
/** What a handshake comes to where nothing is encrypted. */
const memoryTls = { protocol: 'memory', cipher: 'none' };

/** A connection without a socket: the real line reader and wire encoder, a client that is a list, and no time. */
export class MemoryChannel implements Channel {
  #facts: ConnectionFacts;
  readonly turns: Turn[] = [];
  readonly #segments: AsyncIterator<Segment> | Iterator<Segment>;
  readonly #departure: Departure;
  readonly #lines = new LineReader();
  readonly #gone = new AbortController();
  readonly #unread: Uint8Array[] = [];
  #ending: Ending | undefined;
  #received = 0;
  #sent = 0;

  constructor(client: Client, id: string, departure: Departure = {}) {
    this.#segments =
      Symbol.asyncIterator in client ? client[Symbol.asyncIterator]() : client[Symbol.iterator]();
    this.#departure = departure;
    this.#facts = {
      id,
      peer: { address: '192.0.2.1', port: 1024 },
      local: { address: '192.0.2.2', port: 110 },
      secure: false,
      signal: this.#gone.signal,
    };
  }

  get facts(): ConnectionFacts {
    return this.#facts;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get received(): number {
    return this.#received;
  }

  get sent(): number {
    return this.#sent;
  }

  async readLine(): Promise<Line | undefined> {
    while (this.#ending === undefined) {
      const line = this.#lines.next();
      if (line !== undefined) return line;
      if (this.#lines.droppedOctets > maxDroppedOctets) return this.#end('abuse');
      const octets = await this.readOctets();
      if (octets === undefined) return this.#end(this.#departure.ending ?? 'disconnected');
      this.#lines.push(octets);
    }
    return undefined;
  }

  async readOctets(): Promise<Uint8Array | undefined> {
    const unread = this.#unread.shift();
    if (unread !== undefined) return unread;
    const next = await this.#segments.next();
    if (next.done === true) return undefined;
    const octets = octetsOfSegment(next.value);
    this.#received += octets.length;
    this.turns.push({ by: 'client', octets });
    return octets;
  }

  async *readBody(): AsyncGenerator<Uint8Array> {
    const early = this.#lines.take();
    if (early.length > 0) this.#unread.push(early);
    const reader = new BodyReader();
    let rest: Uint8Array | undefined;
    while (rest === undefined) {
      const octets = await this.readOctets();
      if (octets === undefined) throw this.#cutOff();
      const piece = reader.push(octets);
      yield* piece.chunks;
      rest = piece.rest;
    }
    this.#lines.push(rest);
  }

  async send(reply: Reply): Promise<SentReply> {
    this.#say(latin1(`${firstLine(reply)}\r\n`));
    if ('body' in reply) return { bodyOctets: await this.#sendBody(reply.body, reply.promisedOctets) };
    if ('lines' in reply) await this.#sendLines(reply.lines);
    return { bodyOctets: 0 };
  }

  async startTls(go: Reply): Promise<string | undefined> {
    if (this.#lines.pendingOctets > 0) {
      this.#say(latin1(`${firstLine(tooEager)}\r\n`));
      this.#end('abuse');
      return 'the client sent more after STLS';
    }
    this.#say(latin1(`${firstLine(go)}\r\n`));
    this.#facts = { ...this.#facts, secure: true, tls: memoryTls };
    return undefined;
  }

  loggedIn(): void {}

  #cutOff(): Failure {
    this.#end(this.#departure.ending ?? 'disconnected');
    return new Failure('the text was cut off');
  }

  async #sendLines(lines: Lines): Promise<void> {
    for await (const block of wireBlocks(lines)) {
      this.#say(latin1(block));
      if (this.#ending !== undefined) return;
    }
    this.#say(latin1('.\r\n'));
  }

  async #sendBody(body: AsyncIterable<Uint8Array>, promisedOctets?: number): Promise<number | undefined> {
    const encoder = new WireEncoder();
    const slab = Buffer.alloc(slabOctets + minRoomOctets);
    for await (const chunk of body) {
      for (let rest = chunk; rest.length > 0;) {
        if (this.#ending !== undefined) return undefined;
        const { readOctets, writtenOctets } = encoder.encodeInto(rest, slab);
        this.#say(Uint8Array.from(slab.subarray(0, writtenOctets)));
        rest = rest.subarray(readOctets);
      }
    }
    this.#say(encoder.end(promisedOctets));
    return encoder.bodyOctets;
  }

  #say(octets: Uint8Array): void {
    if (this.#gone.signal.aborted) return;
    const { afterSentOctets = Infinity } = this.#departure;
    const heard = octets.subarray(0, Math.max(0, afterSentOctets - this.#sent));
    this.#sent += heard.length;
    this.turns.push({ by: 'server', octets: heard });
    if (this.#sent < afterSentOctets) return;
    this.#end('disconnected');
    this.#gone.abort(new Error('the client is gone'));
  }

  #end(how: Ending): undefined {
    this.#ending ??= how;
    return undefined;
  }
}
