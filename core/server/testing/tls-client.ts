import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, TLSSocket } from 'node:tls';

/** A client that does what it is told, in plain and then, maybe, over TLS. It believes any certificate. */
export class TlsClient {
  heard = '';
  #socket: Socket;
  readonly #wire: Socket;
  #told = (): void => {};

  private constructor(socket: Socket) {
    this.#wire = socket;
    this.#socket = this.#listenTo(socket);
  }

  /** Connects and reads the greeting. */
  static async plain(port: number): Promise<TlsClient> {
    const client = TlsClient.silent(port);
    await client.hears(/^\+OK .*\r\n/);
    return client;
  }

  /** Connects and waits for nothing. */
  static silent(port: number): TlsClient {
    return new TlsClient(connect({ host: '127.0.0.1', port }));
  }

  /** Connects to a port where TLS comes first, and reads the greeting. */
  static async secured(port: number, options: ConnectionOptions = {}): Promise<TlsClient> {
    const client = TlsClient.silent(port);
    await client.handshake(options);
    await client.hears(/^\+OK .*\r\n/);
    return client;
  }

  /** What carries the octets now. */
  get socket(): Socket {
    return this.#socket;
  }

  /** What lies below TLS. */
  get wire(): Socket {
    return this.#wire;
  }

  /** The connection under TLS. Throws while there is none. */
  get tls(): TLSSocket {
    assert.ok(this.#socket instanceof TLSSocket);
    return this.#socket;
  }

  /** Says lines in one segment. */
  send(...lines: readonly string[]): void {
    this.#socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** Says it and waits for its one line of answer. */
  async say(line: string): Promise<string> {
    this.heard = '';
    this.send(line);
    await this.hears(/\r\n/);
    return this.heard.slice(0, this.heard.indexOf('\r\n'));
  }

  async ask(line: string): Promise<void> {
    assert.match(await this.say(line), /^\+OK/);
  }

  async startTls(options: ConnectionOptions = {}): Promise<void> {
    await this.ask('STLS');
    await this.handshake(options);
  }

  /** Rejects where the server does not want it. */
  async handshake(options: ConnectionOptions = {}): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    this.heard = '';
    const secured = connectTls({ socket: plain, rejectUnauthorized: false, ...options });
    this.#socket = this.#listenTo(secured);
    await Promise.race([once(secured, 'secureConnect'), gone(secured)]);
  }

  async hears(expected: RegExp): Promise<void> {
    while (!expected.test(this.heard)) {
      assert.ok(!this.#hasEnded, `never heard ${String(expected)}, but ${this.heard}`);
      await this.#next();
    }
  }

  /** Everything that was said, when the server has said all it will, or the connection is broken. */
  async ended(): Promise<string> {
    while (!this.#hasEnded) await this.#next();
    this.#socket.destroy();
    return this.heard;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  get #hasEnded(): boolean {
    return this.#socket.readableEnded || this.#socket.closed;
  }

  /** Resolves when there is news. */
  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#told = resolve;
    });
  }

  #listenTo(socket: Socket): Socket {
    // A client may be cut off at any time; what it heard until then is what a test looks at.
    socket.on('error', () => {});
    for (const event of ['end', 'close']) socket.on(event, () => this.#told());
    return socket.on('data', (octets: Buffer) => {
      this.heard += octets.toString('latin1');
      this.#told();
    });
  }
}

async function gone(socket: Socket): Promise<never> {
  await once(socket, 'close');
  throw new Error('the server has ended the handshake');
}
