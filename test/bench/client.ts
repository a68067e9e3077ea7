import { connect, type Socket } from 'node:net';

import { Replies, type Request } from './replies.ts';

/** So many seconds a server may be silent when it is its turn. */
const patienceS = 120;

/**
 * A POP3 client that believes nothing: it compares each octet of a message with what was put into the mailbox. It does
 * so with the least of work, as it runs on the processors that the servers run on: there is one promise for a whole list
 * of requests, and neither a string nor an object for a reply.
 */
export class Client {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  readonly #replies = new Replies(sharedBuffer);
  #requests: readonly Request[] = [];
  /** Of the requests: sent, and answered. */
  #sent = 0;
  #answered = 0;
  #atOnce = 1;
  #settle: Settle | undefined;
  #failure: Error | undefined;
  #leaving = false;
  #silentS = 0;

  static async connect(port: number): Promise<Client> {
    const client = new Client(port);
    await client.exchange([greeting]);
    return client;
  }

  private constructor(port: number) {
    const onread = { buffer: sharedBuffer, callback: (octets: number) => this.#read(octets) };
    this.#socket = connect({ port, host: '127.0.0.1', onread });
    this.#socket.on('error', (error) => this.#fail(error));
    const closed = Promise.withResolvers<void>();
    this.#closed = closed.promise;
    this.#socket.on('close', () => {
      this.#fail(new Error('the server hung up'));
      stopWatching(this);
      closed.resolve();
    });
    watch(this);
  }

  /**
   * Sends the commands, so many in one write, and these only when all before them are answered. Throws on the first
   * reply that is wrong. One list at a time.
   */
  exchange(requests: readonly Request[], atOnce = 1): Promise<void> {
    if (this.#failure) return Promise.reject(this.#named(this.#failure, requests[0]));
    this.#requests = requests;
    this.#sent = 0;
    this.#answered = 0;
    this.#atOnce = atOnce;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#goOn();
    });
  }

  /** Says QUIT and waits until the server has closed the connection. */
  async quit(): Promise<void> {
    this.#leaving = true;
    await this.exchange([quit]);
    await this.#closed;
  }

  /** Leaves without a word. */
  destroy(): void {
    this.#leaving = true;
    this.#socket.destroy();
  }

  /** A second has gone by. */
  tick(): void {
    this.#silentS += 1;
    const isAwaiting = this.#settle !== undefined;
    if (isAwaiting && this.#silentS > patienceS) this.#fail(new Error(`silent for ${patienceS} s`));
  }

  /** To be called when all that was sent is answered. */
  #goOn(): void {
    this.#silentS = 0;
    const from = this.#sent;
    this.#sent = Math.min(from + this.#atOnce, this.#requests.length);
    if (this.#sent === from) this.#finish();
    else if (this.#sent === from + 1) this.#write(this.#requests[from]?.command);
    else this.#write(Buffer.concat(this.#requests.slice(from, this.#sent).map(({ command }) => command)));
  }

  #write(commands: Buffer | undefined): void {
    if (commands !== undefined && commands.length > 0) this.#socket.write(commands);
  }

  #finish(): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve();
  }

  #read(end: number): boolean {
    this.#silentS = 0;
    try {
      for (let from = 0; from < end;) {
        const request = this.#requests[this.#answered];
        if (request === undefined || this.#answered === this.#sent)
          throw new Error(
            `not asked for: ${sharedBuffer.toString('latin1', from, Math.min(end, from + 200))}`,
          );
        from = this.#replies.take(request, from, end);
        if (this.#replies.isWhole) this.#answered += 1;
      }
      if (this.#settle !== undefined && this.#answered === this.#sent) this.#goOn();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #fail(error: Error): void {
    if (this.#leaving && this.#settle === undefined) return;
    this.#failure ??= error;
    this.#settle?.reject(
      this.#named(this.#failure, this.#requests[Math.min(this.#answered, this.#requests.length - 1)]),
    );
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #named(error: Error, request: Request | undefined): Error {
    const line = request?.command.toString('latin1').trimEnd() ?? '';
    const name = line.replace(/^PASS .*/, 'PASS ...').replace(/^$/, '(greeting)');
    return new Error(`${name}: ${error.message}`, { cause: error });
  }
}

export const ask = (line: string, status?: string): Request => ({
  command: Buffer.from(`${line}\r\n`, 'latin1'),
  status: status === undefined ? undefined : Buffer.from(`${status}\r\n`, 'latin1'),
  body: undefined,
});

const greeting: Request = { command: Buffer.alloc(0), status: undefined, body: undefined };
const quit = ask('QUIT');

/** One for all clients: what arrives is looked at before the next client's turn. */
const sharedBuffer = Buffer.alloc(256 * 1024);

interface Settle {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One clock for all: a timer for each socket would be set anew with each octet. */
const watched = new Set<Client>();
let clock: NodeJS.Timeout | undefined;

function watch(client: Client): void {
  watched.add(client);
  clock ??= setInterval(() => {
    for (const one of watched) one.tick();
  }, 1000).unref();
}

function stopWatching(client: Client): void {
  watched.delete(client);
  if (watched.size > 0) return;
  clearInterval(clock);
  clock = undefined;
}
