import { connect, type Socket } from 'node:net';

/** What is asked and what has to come back; any reply but +OK is an error. */
export type Request =
  | { readonly line: string; readonly kind: 'status' }
  | { readonly line: string; readonly kind: 'listing' }
  /** `wire` is all that follows the status line, to the last octet. */
  | { readonly line: string; readonly kind: 'message'; readonly wire: Buffer };

/** The status line without its CRLF, and the lines of a listing, byte-stuffing undone. */
export interface Answer {
  readonly status: string;
  readonly lines: readonly string[];
}

/** So long a server may be silent when it is its turn, in milliseconds. */
const patienceMs = 120_000;

/** A POP3 client that believes nothing: it compares each octet of a message with what was put into the mailbox. */
export class Client {
  readonly #socket: Socket;
  readonly #expected: Expected[] = [];
  readonly #closed: Promise<void>;
  #failure: Error | undefined;
  #leaving = false;

  /** Connects and awaits the greeting. */
  static async connect(port: number): Promise<Client> {
    const client = new Client(port);
    await client.#expect({ line: '(greeting)', kind: 'status' });
    return client;
  }

  private constructor(port: number) {
    const onread = { buffer: sharedBuffer, callback: (octets: number) => this.#read(octets) };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.setTimeout(patienceMs, () => this.#fail(new Error(`silent for ${patienceMs} ms`)));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#fail(new Error('the server hung up'));
        resolve();
      });
    });
  }

  /** Sends all the commands in one write and awaits their replies. Throws on the first that is wrong. */
  exchange(requests: readonly Request[]): Promise<Answer[]> {
    const answers = Promise.all(requests.map((request) => this.#expect(request)));
    this.#socket.write(requests.map(({ line }) => `${line}\r\n`).join(''), 'latin1');
    return answers;
  }

  async command(line: string): Promise<string> {
    const [answer] = await this.exchange([{ line, kind: 'status' }]);
    return answer?.status ?? '';
  }

  async listing(line: string): Promise<readonly string[]> {
    const [answer] = await this.exchange([{ line, kind: 'listing' }]);
    return answer?.lines ?? [];
  }

  async logIn(user: string, password: string): Promise<void> {
    await this.command(`USER ${user}`);
    await this.command(`PASS ${password}`);
  }

  /** Says QUIT and waits until the server has closed the connection. */
  async quit(): Promise<void> {
    this.#leaving = true;
    await this.command('QUIT');
    await this.#closed;
  }

  /** Leaves without a word. */
  destroy(): void {
    this.#leaving = true;
    this.#socket.destroy();
  }

  #expect(request: Request): Promise<Answer> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#expected.push(new Expected(request, { resolve, reject }));
    });
  }

  #read(octets: number): boolean {
    try {
      for (let from = 0; from < octets;) {
        const [first] = this.#expected;
        if (first === undefined)
          throw new Error(`not asked for: ${sharedBuffer.toString('latin1', from, octets)}`);
        from = first.take(sharedBuffer, from, octets);
        if (first.answered) this.#expected.shift();
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #fail(error: Error): void {
    if (this.#leaving && this.#expected.length === 0) return;
    this.#failure ??= error;
    for (const expected of this.#expected.splice(0)) expected.reject(this.#failure);
    this.#socket.destroy();
  }
}

/** One for all clients: what arrives is looked at before the next client's turn. */
const sharedBuffer = Buffer.alloc(256 * 1024);

interface Settle {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** A reply that is awaited, and how far it has come. */
class Expected {
  readonly #request: Request;
  readonly #settle: Settle;
  /** The status line; undefined while it has not come whole. */
  #status: string | undefined;
  #line = '';
  readonly #lines: string[] = [];
  /** Octets of the message that have come and were right. */
  #octets = 0;
  answered = false;

  constructor(request: Request, settle: Settle) {
    this.#request = request;
    this.#settle = settle;
  }

  /** Takes its part of the octets and says where the next reply's part begins. Throws where they are wrong. */
  take(chunk: Buffer, from: number, end: number): number {
    if (this.#status !== undefined && this.#request.kind === 'message') {
      return this.#compare(chunk, from, { end, wire: this.#request.wire });
    }
    const lineFeedIndex = chunk.indexOf(0x0a, from);
    const lineEnd = lineFeedIndex === -1 || lineFeedIndex >= end ? end : lineFeedIndex + 1;
    this.#line += chunk.toString('latin1', from, lineEnd);
    if (this.#line.endsWith('\n')) this.#takeLine();
    return lineEnd;
  }

  reject(error: Error): void {
    this.#settle.reject(
      new Error(`${withoutSecret(this.#request.line)}: ${error.message}`, { cause: error }),
    );
  }

  #takeLine(): void {
    if (!this.#line.endsWith('\r\n')) throw new Error(`a line that ends in a bare LF: ${this.#line}`);
    const line = this.#line.slice(0, -2);
    this.#line = '';
    if (this.#status === undefined) this.#takeStatus(line);
    else if (line === '.') this.#answer();
    else this.#lines.push(line.startsWith('.') ? line.slice(1) : line);
  }

  #takeStatus(line: string): void {
    if (!line.startsWith('+OK')) throw new Error(line);
    this.#status = line;
    if (this.#request.kind === 'status') this.#answer();
  }

  #compare(
    chunk: Buffer,
    from: number,
    { end, wire }: { readonly end: number; readonly wire: Buffer },
  ): number {
    const octets = Math.min(end - from, wire.length - this.#octets);
    if (chunk.compare(wire, this.#octets, this.#octets + octets, from, from + octets) !== 0) {
      throw new Error(`wrong octets after ${this.#octets} that were right`);
    }
    this.#octets += octets;
    if (this.#octets === wire.length) this.#answer();
    return from + octets;
  }

  #answer(): void {
    this.answered = true;
    this.#settle.resolve({ status: this.#status ?? '', lines: this.#lines });
  }
}

const withoutSecret = (line: string): string => line.replace(/^PASS .*/, 'PASS ...');
