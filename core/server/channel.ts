// Over 250 lines: a connection has one owner, and what ends it (client, timers, stop, TLS, relay) meets here.
import type { Socket } from 'node:net';

import { BodyReader } from '../protocol/body-reader.ts';
import { Failure } from '../protocol/failure.ts';
import { type Line, LineReader, maxDroppedOctets } from '../protocol/line-reader.ts';
import { letGo, piecesOf } from '../protocol/pieces.ts';
import { err, firstLine, type Lines, type Reply } from '../protocol/reply.ts';
import { wireBlocks } from '../protocol/wire-lines.ts';
import type { Channel, ConnectionFacts, Ending, SentReply } from '../session/channel.ts';
import { tooEager } from '../session/start-tls.ts';
import type { Settings } from '../settings.ts';
import { Incoming } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import { handshake, type Served } from './tls/handshake.ts';
import { Turn } from './turn.ts';
import type { HandedOver } from './user/relay.ts';
import { goOnReading, stopReading } from './user/unread.ts';
import { written } from './written.ts';

/** Why a session's signal fires: one object for all, for an abort makes an error of its own otherwise. */
const clientGone = new Error('the client is gone');
/** So long a client may take to read the last words and close, in milliseconds. */
const lingerMs = 5000;

/** A session's connection over a socket: TCP or unix, plain or under TLS. */
export class SocketChannel implements Channel {
  /** What the kernel knows: it counts every octet, those of TLS too. */
  readonly #wire: Socket;
  /** Where the session's octets come and go: the wire, or TLS over it. */
  #socket: Socket;
  #facts: ConnectionFacts;
  readonly #settings: Settings;
  readonly #tls: Served | undefined;
  #incoming: Incoming;
  #outgoing: Outgoing;
  readonly #lines = new LineReader();
  readonly #turn = new Turn();
  readonly #gone = new AbortController();
  #ending: Ending | undefined;
  /** Set once another process runs the session. */
  #stopElsewhere: ((how: 'stopped' | 'kicked') => void) | undefined;
  /** Whether another process has the connection: whatever is written here would fall into the middle of what it says. */
  #isLent = false;
  /** Since when the client has not read what another process has sent it. */
  #stalledElsewhereSinceMs: number | undefined;
  /** Whether a relay passes on what another process says, and that it was all is not known: the client may have not got all. */
  #isRelayed = false;
  /** What another process has counted of the connection while it was lent. */
  #elsewhere = { received: 0, sent: 0 };
  #isHandshaking = false;
  /** Ends the wait for a client who does not read. */
  #waitNoLonger = (): void => {};
  /** Whether a reply was begun and not ended. */
  #isMidReply = false;
  /** Whether the client had not got all when the connection was ended at once. */
  #wasTorn = false;
  /** Whether the session has met its ending; one that was at its QUIT has said its own last words. */
  #cutShort = false;
  #timer: NodeJS.Timeout;
  /** Set once the client has logged in; until then the login deadline runs, which nothing puts off. */
  #idleTimer: NodeJS.Timeout | undefined;

  /** `tls` is what it is spoken with, where it is spoken. */
  constructor(socket: Socket, facts: Omit<ConnectionFacts, 'signal'>, settings: Settings, tls?: Served) {
    this.#facts = { ...facts, signal: this.#gone.signal };
    this.#wire = socket;
    this.#socket = socket;
    this.#settings = settings;
    this.#tls = tls;
    this.#incoming = new Incoming(socket);
    this.#outgoing = this.#outgoingTo(socket);
    this.#timer = setTimeout(() => this.#abandon('idle'), settings.loginTimeoutMs);
    // Without a listener an error would end the process; 'close' follows and says all that matters.
    socket.on('error', () => {});
    socket.on('close', () => this.#abandon('disconnected'));
  }

  get facts(): ConnectionFacts {
    return this.#facts;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get received(): number {
    return this.#wire.bytesRead + this.#elsewhere.received;
  }

  get sent(): number {
    return this.#wire.bytesWritten + this.#elsewhere.sent;
  }

  async readLine(): Promise<Line | undefined> {
    // Whoever does not read is not listened to, or each reply to what he has sent ahead would wait in memory.
    if (this.#outgoing.stalledSinceMs !== undefined) await this.#flushed();
    let line: Line | undefined;
    while (line === undefined && this.#ending === undefined) {
      if (this.#turn.isOver) {
        await this.#turn.next();
        continue;
      }
      line = this.#lines.next();
      if (line !== undefined) break;
      if (this.#lines.droppedOctets > maxDroppedOctets) this.#end('abuse');
      else this.#push(await this.#nextOctets());
    }
    this.#cutShort = line === undefined;
    // The command may have to wait for a disk, and the replies before it need not.
    this.#outgoing.flushSoon();
    return line;
  }

  async readOctets(): Promise<Uint8Array | undefined> {
    const octets = await this.#nextOctets();
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

  send(reply: Reply): SentReply | Promise<SentReply> {
    if (this.#isLent) throw new TypeError('another process has the connection');
    // Beside what the client has not read yet no long answer is begun.
    const isLong = 'body' in reply || 'lines' in reply;
    if (isLong && this.#outgoing.stalledSinceMs !== undefined) return this.#sendWhenRead(reply);
    const stalled = this.#outgoing.text(`${firstLine(reply)}\r\n`);
    if (stalled !== undefined || 'lines' in reply) return this.#sendRest(reply, stalled);
    if ('body' in reply) return this.#sendBody(reply.body, reply.promisedOctets);
    // What the client is to do next it does when it has read this, so the time it takes begins now.
    this.#progressed();
    return withoutBody;
  }

  /** Where the session is to end first, nothing of it is said. */
  async #sendWhenRead(reply: Reply): Promise<SentReply> {
    await this.#flushed();
    if (this.#ending === undefined) return this.send(reply);
    if ('body' in reply) await letGo(piecesOf(reply.body));
    else if ('lines' in reply && Symbol.asyncIterator in reply.lines) await letGo(piecesOf(reply.lines));
    return { bodyOctets: undefined };
  }

  async #sendRest(reply: Reply, stalled: Promise<void> | undefined): Promise<SentReply> {
    this.#isMidReply = true;
    if (stalled !== undefined) await stalled;
    if ('body' in reply) return this.#sendBody(reply.body, reply.promisedOctets);
    if ('lines' in reply) await this.#sendLines(reply.lines);
    return this.#sent(0);
  }

  /** A message's first line goes with the message; it is not sent ahead of it. */
  #sendBody(body: AsyncIterable<Uint8Array>, promisedOctets?: number): SentReply | Promise<SentReply> {
    this.#isMidReply = true;
    const octets = this.#outgoing.message(body, promisedOctets);
    return octets instanceof Promise ? octets.then((sent) => this.#sent(sent)) : this.#sent(octets);
  }

  #sent(bodyOctets: number | undefined): SentReply {
    this.#isMidReply = false;
    this.#progressed();
    return { bodyOctets };
  }

  async startTls(go: Reply): Promise<string | undefined> {
    await this.#outgoing.flush();
    // Taken for commands, they would be somebody else's than those of whom TLS then speaks for (CVE-2011-0411).
    if (this.#lines.pendingOctets + this.#releasedOctets() > 0) {
      await this.#outgoing.text(`${firstLine(tooEager)}\r\n`);
      this.#end('abuse');
      return 'the client sent more after STLS';
    }
    await written(this.#socket, Buffer.from(`${firstLine(go)}\r\n`, 'latin1'));
    return this.secure();
  }

  /**
   * The client's next octets are a handshake, and everything after it is said over TLS. Gives the reason where that comes to
   * nothing: the connection is gone then.
   */
  async secure(): Promise<string | undefined> {
    if (this.#tls === undefined) throw new TypeError('there is no certificate to speak TLS with');
    if (this.#ending !== undefined) return 'the session is over';
    this.#incoming.release();
    this.#isHandshaking = true;
    const outcome = await handshake(this.#wire, this.#tls);
    this.#isHandshaking = false;
    if ('reason' in outcome) {
      this.#end('handshake');
      return outcome.reason;
    }
    this.#socket = outcome.socket;
    this.#facts = { ...this.#facts, secure: true, tls: outcome.facts };
    this.#incoming = new Incoming(outcome.socket);
    this.#outgoing = this.#outgoingTo(outcome.socket);
    return undefined;
  }

  loggedIn(): void {
    clearTimeout(this.#timer);
    if (this.#ending !== undefined) return;
    this.#idleTimer = setTimeout(() => this.#abandon('idle'), this.#settings.idleTimeoutMs);
    this.#timer = this.#idleTimer;
  }

  /**
   * The daemon stops, or its operator wants the client gone: a command at work is finished and answered, unless the client has yet
   * to read what came before, and after it there is no other.
   */
  stop(how: 'stopped' | 'kicked' = 'stopped'): void {
    if (this.#ending !== undefined) return;
    if (this.#stopElsewhere !== undefined) return this.#stopElsewhere(how);
    this.#ending = how;
    this.#listenNoLonger();
    // Nobody can be told in the middle of it.
    if (this.#isHandshaking) this.destroy();
  }

  /** Since when the client has not read what waits for it, by the clock of `performance.now`; undefined where it reads. */
  get stalledSinceMs(): number | undefined {
    return this.#stalledElsewhereSinceMs ?? this.#outgoing.stalledSinceMs;
  }

  /** The process that runs the session says for how many milliseconds the client has read nothing; 0 when it reads again. */
  stalledElsewhere(forMs: number): void {
    this.#stalledElsewhereSinceMs = forMs === 0 ? undefined : performance.now() - forMs;
  }

  /** Another client needs the place of this one, which is told so if it reads, and cut off at once. */
  makeRoom(): void {
    const isElsewhere = this.#stopElsewhere !== undefined;
    const isHeard = this.#ending === undefined && !this.#isHandshaking && !this.#isMidReply && !isElsewhere;
    if (!isHeard || this.#socket.writableLength > 0) return this.#abandon('crowded');
    void this.#outgoing.flush();
    this.#socket.write(`${firstLine(crowdedOut)}\r\n`, 'latin1');
    this.#abandon('crowded', () => this.#wire.destroy());
  }

  /**
   * Gives the connection to a relay: what was said is on its way, what was read ahead goes along, and no timer runs here any
   * more. The channel is told of its end and counts its octets, and `close` is still to be called when the relay has ended.
   * `relay` resolves when it is known what the session came to: until then the client has not got all.
   * Who is asked to stop from here on, and who was before, is whoever runs the session now.
   */
  async handOver(
    stop: (how: 'stopped' | 'kicked') => void,
    relay: (handedOver: HandedOver) => Promise<unknown>,
  ): Promise<void> {
    await this.#flushed();
    this.#stopElsewhere = stop;
    if (this.#ending === 'stopped' || this.#ending === 'kicked') stop(this.#ending);
    clearTimeout(this.#timer);
    const early = Buffer.concat([this.#lines.take(), ...this.#incoming.release()]);
    this.#isRelayed = true;
    await relay({ socket: this.#socket, early, giveUp: () => this.destroy() });
    this.#isRelayed = false;
  }

  /**
   * Lends the connection itself to another process, which runs the session: from here on nothing of it is read, written or
   * timed here. Undefined where that cannot be: under TLS, or where the client has said more than was listened to. It keeps an end
   * of it, so that the client is told of nothing by the death of the other process.
   */
  lend(stop: (how: 'stopped' | 'kicked') => void): Socket | undefined {
    const wire = this.#wire;
    if (this.#socket !== wire || this.#ending !== undefined) return undefined;
    void this.#outgoing.flush();
    if (wire.writableLength > 0 || this.#lines.pendingOctets > 0 || this.#incoming.hasUnread)
      return undefined;
    if (!stopReading(wire)) return undefined;
    clearTimeout(this.#timer);
    this.#stopElsewhere = stop;
    this.#isLent = true;
    return wire;
  }

  /** The other process has let go of it, having moved so many octets. `close` is still to be called. */
  takeBack(counted: { readonly received: number; readonly sent: number }): void {
    this.#elsewhere = counted;
    this.#isLent = false;
    goOnReading(this.#wire);
  }

  /** Closes this end of a connection that was lent, of which nothing will be heard: the other process, if it has it, ends it. */
  letGo(): void {
    this.#wire.destroy();
  }

  /** Says the last words on a connection that was lent to this process. Resolves when the kernel has them, or never will. */
  async giveBack(): Promise<void> {
    clearTimeout(this.#timer);
    const linger = setTimeout(() => this.destroy(), lingerMs);
    await this.#sayLastWords();
    if (this.#socket.writableLength > 0) await written(this.#socket, Buffer.alloc(0));
    clearTimeout(linger);
  }

  /** Says the last words and closes. Resolves when the connection is gone. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket.destroyed) return;
    const linger = setTimeout(() => this.destroy(), lingerMs);
    await this.#sayLastWords();
    if (this.#isMidReply) this.destroy();
    if (socket.destroyed) return clearTimeout(linger);
    // What the client still sends is not wanted, but has to be read: else the kernel resets and our words are lost.
    socket.removeAllListeners('data').resume();
    await closed(socket);
    clearTimeout(linger);
  }

  /** Ends the connection at once, so that a client which has not got all that it was to get can tell. */
  destroy(): void {
    // What is destroyed has nothing left that waits for the client.
    this.#wasTorn ||= this.isTorn;
    if (this.#wasTorn) this.tear();
    else this.#wire.destroy();
  }

  /** Whether the client has not got all that it was to get. */
  get isTorn(): boolean {
    if (this.#wasTorn || this.#isMidReply || this.#isRelayed) return true;
    return this.#outgoing.hasUnsent || this.#socket.writableLength > 0;
  }

  /** Ends the connection at once, so that the client can tell that it has not got all. */
  tear(): void {
    reset(this.#wire);
  }

  async #sayLastWords(): Promise<void> {
    const lastWords = this.#cutShort && this.#ending ? lastWordsOn[this.#ending] : undefined;
    if (lastWords !== undefined) await this.#outgoing.text(`${firstLine(lastWords)}\r\n`);
    await this.#outgoing.flush();
  }

  /** What the next line is to be cut from has come, or the end. */
  #push(octets: Uint8Array | undefined): void {
    this.#turn.begin();
    if (octets === undefined) this.#end('disconnected');
    else this.#lines.push(octets);
  }

  #nextOctets(): Promise<Uint8Array | undefined> {
    const stalled = this.#flushed();
    return stalled === undefined ? this.#incoming.next() : stalled.then(() => this.#incoming.next());
  }

  /** A promise only where the client must read first: until he has, or the session is to end. */
  #flushed(): Promise<void> | undefined {
    const stalled = this.#outgoing.flush();
    if (stalled === undefined || this.#ending !== undefined) return undefined;
    return new Promise((resolve) => {
      this.#waitNoLonger = resolve;
      void stalled.then(resolve);
    });
  }

  async #sendLines(lines: Lines): Promise<void> {
    for await (const block of wireBlocks(lines)) {
      if (!this.#socket.writable) return;
      await this.#outgoing.text(block);
    }
    await this.#outgoing.text('.\r\n');
  }

  /** Leaves the wire to somebody else; gives how many octets came that nobody has asked for. */
  #releasedOctets(): number {
    const chunks = this.#incoming.release();
    return chunks.reduce((octets, { length }) => octets + length, this.#socket.readableLength);
  }

  #outgoingTo(socket: Socket): Outgoing {
    return new Outgoing(socket, this.#turn, () => this.#progressed());
  }

  /** Puts the idle timer off. It runs on while a command is at work: one that comes to nothing in all that time hangs. */
  #progressed(): void {
    this.#idleTimer?.refresh();
  }

  #abandon(how: Ending, cutOff = () => this.destroy()): void {
    clearTimeout(this.#timer);
    this.#end(how);
    this.#listenNoLonger();
    this.#gone.abort(clientGone);
    cutOff();
  }

  #listenNoLonger(): void {
    this.#incoming.end();
    this.#waitNoLonger();
  }

  #end(how: Ending): void {
    this.#ending ??= how;
  }
}

/** What is said at an end that is not of the client's making; to one that is, or to silence, nothing (RFC 1939 section 3). */
const lastWordsOn: { readonly [How in Ending]?: Reply } = {
  stopped: err('the server is being stopped, nothing was deleted', 'SYS/TEMP'),
  kicked: err('the operator has ended this session, nothing was deleted', 'SYS/TEMP'),
  abuse: err('too many octets that are no command'),
};

const withoutBody: SentReply = { bodyOctets: 0 };

const crowdedOut = err('too many connections, and others have waited for longer', 'SYS/TEMP');

/**
 * Breaks the connection. Closed as usual, half a message would be all of it to clients that do not look for its end. A unix
 * socket knows no such thing.
 */
function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // The client may have broken the connection while the last words were on their way, and 'close' comes only once.
    if (socket.closed) return resolve();
    socket.once('close', () => resolve());
    socket.end();
  });
}
