import type { Socket } from 'node:net';

import { BodyReader } from '../protocol/body-reader.ts';
import { Failure } from '../protocol/failure.ts';
import { type Line, LineReader, maxDroppedOctets } from '../protocol/line-reader.ts';
import { err, firstLine, type Lines, type Reply } from '../protocol/reply.ts';
import { wireBlocks } from '../protocol/wire-lines.ts';
import type { Channel, ConnectionFacts, Ending, SentReply } from '../session/channel.ts';
import type { Settings } from '../settings.ts';
import { Incoming } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import { Turn } from './turn.ts';

/** Why a session's signal fires: one object for all, for an abort makes an error of its own otherwise. */
const clientGone = new Error('the client is gone');
/** So long a client may take to read the last words and close, in milliseconds. */
const lingerMs = 5000;

/** A session's connection over a socket: TCP or unix. */
export class SocketChannel implements Channel {
  readonly facts: ConnectionFacts;
  readonly #socket: Socket;
  readonly #settings: Settings;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #lines = new LineReader();
  readonly #turn = new Turn();
  readonly #gone = new AbortController();
  #ending: Ending | undefined;
  /** Whether the session has met its ending; one that was at its QUIT has said its own last words. */
  #cutShort = false;
  #timer: NodeJS.Timeout;
  /** Set once the client has logged in; until then the login deadline runs, which nothing puts off. */
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, facts: Omit<ConnectionFacts, 'signal'>, settings: Settings) {
    this.facts = { ...facts, signal: this.#gone.signal };
    this.#socket = socket;
    this.#settings = settings;
    this.#incoming = new Incoming(socket);
    this.#outgoing = new Outgoing(socket, this.#turn, () => this.#progressed());
    this.#timer = setTimeout(() => this.#abandon('idle'), settings.loginTimeoutMs);
    // Without a listener an error would end the process; 'close' follows and says all that matters.
    socket.on('error', () => {});
    socket.on('close', () => this.#abandon('disconnected'));
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get received(): number {
    return this.#socket.bytesRead;
  }

  get sent(): number {
    return this.#socket.bytesWritten;
  }

  async readLine(): Promise<Line | undefined> {
    const line = await this.#nextLine();
    this.#cutShort = line === undefined;
    return line;
  }

  async readOctets(): Promise<Uint8Array | undefined> {
    await this.#outgoing.flush();
    const octets = await this.#incoming.next();
    this.#turn.begin();
    return octets;
  }

  async *readBody(): AsyncGenerator<Uint8Array> {
    this.#incoming.unread(this.#lines.take());
    const reader = new BodyReader();
    let rest: Uint8Array | undefined;
    while (rest === undefined && this.#ending === undefined) {
      const octets = await this.readOctets();
      if (octets === undefined) this.#end('disconnected');
      else {
        this.#progressed();
        const piece = reader.push(octets);
        yield* piece.chunks;
        rest = piece.rest;
      }
    }
    if (rest === undefined) throw new Failure('the text was cut off');
    this.#lines.push(rest);
  }

  async send(reply: Reply): Promise<SentReply> {
    await this.#outgoing.text(`${firstLine(reply)}\r\n`);
    // A message's first line goes with the message; it is not sent ahead of it.
    const bodyOctets = 'body' in reply ? await this.#outgoing.message(reply.body, reply.promisedOctets) : 0;
    if ('lines' in reply) await this.#sendLines(reply.lines);
    this.#outgoing.flushSoon();
    // What the client is to do next it does when it has read this, so the time it takes begins now.
    this.#progressed();
    return { bodyOctets };
  }

  loggedIn(): void {
    clearTimeout(this.#timer);
    if (this.#ending !== undefined) return;
    this.#idleTimer = setTimeout(() => this.#abandon('idle'), this.#settings.idleTimeoutMs);
    this.#timer = this.#idleTimer;
  }

  /** The daemon stops: a command at work is finished and answered, and after it there is no other. */
  stop(): void {
    if (this.#ending !== undefined) return;
    this.#ending = 'stopped';
    this.#incoming.end();
  }

  /** Says the last words and closes. Resolves when the connection is gone. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket.destroyed) return;
    const linger = setTimeout(() => this.destroy(), lingerMs);
    const lastWords = this.#cutShort && this.#ending ? lastWordsOn[this.#ending] : undefined;
    if (lastWords !== undefined) await this.#outgoing.text(`${firstLine(lastWords)}\r\n`);
    await this.#outgoing.flush();
    // What the client still sends is not wanted, but has to be read: else the kernel resets and our words are lost.
    socket.removeAllListeners('data').resume();
    await closed(socket);
    clearTimeout(linger);
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #nextLine(): Promise<Line | undefined> {
    while (this.#ending === undefined) {
      if (this.#turn.isOver) {
        await this.#turn.next();
        continue;
      }
      const line = this.#lines.next();
      if (line !== undefined) return line;
      if (this.#lines.droppedOctets > maxDroppedOctets) return this.#end('abuse');
      const octets = await this.readOctets();
      if (octets === undefined) return this.#end('disconnected');
      this.#lines.push(octets);
    }
    return undefined;
  }

  async #sendLines(lines: Lines): Promise<void> {
    for await (const block of wireBlocks(lines)) {
      if (!this.#socket.writable) return;
      await this.#outgoing.text(block);
    }
    await this.#outgoing.text('.\r\n');
  }

  /** Puts the idle timer off. It runs on while a command is at work: one that comes to nothing in all that time hangs. */
  #progressed(): void {
    this.#idleTimer?.refresh();
  }

  #abandon(how: Ending): void {
    clearTimeout(this.#timer);
    this.#end(how);
    this.#incoming.end();
    this.#gone.abort(clientGone);
    this.#socket.destroy();
  }

  #end(how: Ending): undefined {
    this.#ending ??= how;
    return undefined;
  }
}

/** What is said at an end that is not of the client's making; to one that is, or to silence, nothing (RFC 1939 section 3). */
const lastWordsOn: { readonly [How in Ending]?: Reply } = {
  stopped: err('the server is being stopped, nothing was deleted', 'SYS/TEMP'),
  abuse: err('too many octets that are no command'),
};

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // The client may have broken the connection while the last words were on their way, and 'close' comes only once.
    if (socket.closed) return resolve();
    socket.once('close', () => resolve());
    socket.end();
  });
}
