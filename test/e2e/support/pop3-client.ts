import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
  /** The client's own address, where it matters. */
  readonly localAddress?: string;
  /** Speak TLS there from the first octet on, and believe any certificate. */
  readonly tls?: boolean;
}

/** Where a daemon waits: a TCP port, or a unix socket. */
export type Where = TcpAddress | { readonly path: string };

/** The server could not be reached, or has closed the connection where an answer was due. */
export class ConnectionLost extends Error {}

/** A POP3 client that does what it is told, octet for octet, and nothing else. */
export class Pop3Client {
  readonly socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #unread = new Unread();

  private constructor(socket: Socket) {
    this.socket = socket;
    // A connection that is reset between two reads is noticed by the next one.
    socket.on('error', () => {});
    this.#chunks = octetsOf(socket);
  }

  /** Connects, and reads nothing yet: not even the greeting. Rejects with ConnectionLost where nobody answers. */
  static async connect(where: Where): Promise<Pop3Client> {
    const isSecured = 'tls' in where && where.tls;
    const options = { ...where, allowHalfOpen: true, noDelay: true };
    const socket = isSecured ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
    await once(socket, isSecured ? 'secureConnect' : 'connect').catch((cause: unknown) => {
      throw new ConnectionLost('cannot connect', { cause });
    });
    return new Pop3Client(socket);
  }

  /** A session in the TRANSACTION state. */
  static async loggedIn(where: Where, user: string, password: string): Promise<Pop3Client> {
    const client = await Pop3Client.connect(where);
    await client.line();
    await client.ask(`USER ${user}`);
    await client.ask(`PASS ${password}`);
    return client;
  }

  send(octets: string | Uint8Array): void {
    this.socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** The next line without its CRLF; undefined where the server has closed, or cut, the connection. */
  async line(): Promise<string | undefined> {
    const octets = await this.#upTo('\r\n');
    return octets?.toString('latin1').slice(0, -2);
  }

  /** Sends a command; gives the status line whatever it says. */
  async say(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    const status = await this.line();
    if (status === undefined) throw new ConnectionLost(`no answer to ${command}`);
    return status;
  }

  /** Sends a command that must be answered with +OK. */
  async ask(command: string): Promise<string> {
    const status = await this.say(command);
    assert.ok(status.startsWith('+OK'), `${command} was answered with ${status}`);
    return status;
  }

  /** Sends a command that is answered with many lines; gives them, byte-stuffing undone. */
  async askLines(command: string): Promise<readonly string[]> {
    const octets = await this.askOctets(command);
    return octets.toString('latin1').split('\r\n').slice(0, -1);
  }

  /** Sends RETR or TOP; gives the message as sent, byte-stuffing undone. */
  async askOctets(command: string): Promise<Buffer> {
    await this.ask(command);
    return this.body();
  }

  /** The rest of a multi-line reply whose status line was read. */
  async body(): Promise<Buffer> {
    // An empty body has no line before its dot.
    while (this.#unread.octets.length < loneDot.length && (await this.#more()));
    if (this.#unread.octets.subarray(0, loneDot.length).equals(loneDot)) {
      this.#unread.take(loneDot.length);
      return Buffer.alloc(0);
    }
    const octets = await this.#upTo('\r\n.\r\n');
    if (octets === undefined) throw new ConnectionLost('a multi-line reply has no end');
    return Buffer.from(
      octets
        .toString('latin1')
        .slice(0, -3)
        .replaceAll(/(^|\r\n)\./g, '$1'),
      'latin1',
    );
  }

  /** What has come and was not read, or else the next octets, as they come in one piece; empty at the end. */
  async piece(): Promise<Buffer> {
    if (this.#unread.octets.length === 0) await this.#more();
    return this.#unread.take(this.#unread.octets.length);
  }

  /** Everything that comes until the server closes the connection. */
  async rest(): Promise<Buffer> {
    while (await this.#more());
    return this.#unread.take(this.#unread.octets.length);
  }

  async quit(): Promise<string> {
    const status = await this.ask('QUIT');
    this.destroy();
    return status;
  }

  /** No more is sent, what comes is still read. */
  halfClose(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #upTo(mark: string): Promise<Buffer | undefined> {
    let searched = 0;
    for (;;) {
      const { octets } = this.#unread;
      const index = octets.indexOf(mark, searched);
      if (index >= 0) return this.#unread.take(index + mark.length);
      searched = Math.max(0, octets.length - mark.length);
      if (!(await this.#more())) return undefined;
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done === true) return false;
    this.#unread.add(value);
    return true;
  }
}

/** Octets that came and were not asked for yet. Grows by doubling: a message may come in thousands of pieces. */
class Unread {
  #room = Buffer.allocUnsafe(64 * 1024);
  #start = 0;
  #end = 0;

  get octets(): Buffer {
    return this.#room.subarray(this.#start, this.#end);
  }

  add(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#room.length) this.#makeRoom(chunk.length);
    this.#end += chunk.copy(this.#room, this.#end);
  }

  take(octets: number): Buffer {
    const taken = Buffer.from(this.#room.subarray(this.#start, this.#start + octets));
    this.#start += octets;
    return taken;
  }

  #makeRoom(octets: number): void {
    const kept = this.octets;
    const room = Buffer.allocUnsafe(2 * (kept.length + octets));
    this.#end = kept.copy(room);
    this.#start = 0;
    this.#room = room;
  }
}

const loneDot = Buffer.from('.\r\n');

/** A connection that was reset is at its end like any other. At the server's end the client ends it, too, as all do. */
async function* octetsOf(socket: Socket): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of socket) yield Buffer.from(chunk);
  } catch {
    // `line` and `rest` tell it as an end.
  } finally {
    socket.destroy();
  }
}
