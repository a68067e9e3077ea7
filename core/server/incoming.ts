import type { Socket } from 'node:net';

/**
 * The octets a client sends, chunk by chunk, asked for one at a time. While nobody asks, at most one chunk waits and the
 * socket is paused: a client that sends and sends fills the kernel's buffers, not ours.
 */
export class Incoming {
  readonly #socket: Socket;
  readonly #waiting: Uint8Array[] = [];
  #asker: ((chunk: Uint8Array | undefined) => void) | undefined;
  #ended = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#arrived);
    socket.on('end', this.end);
    socket.on('close', this.end);
  }

  /** The next chunk, or undefined at the end of input. */
  next(): Promise<Uint8Array | undefined> {
    const chunk = this.#waiting.shift();
    if (chunk !== undefined || this.#ended) return Promise.resolve(chunk);
    if (this.#socket.isPaused()) this.#socket.resume();
    return new Promise((resolve) => {
      this.#asker = resolve;
    });
  }

  /** Whether something has come that nobody has asked for, or the end. */
  get hasUnread(): boolean {
    return this.#ended || this.#waiting.length > 0;
  }

  /** Puts octets back: they were read too early, and come next. */
  unread(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#waiting.unshift(chunk);
  }

  /** Leaves the socket, paused, to somebody else, and gives what nobody has asked for yet. */
  release(): readonly Uint8Array[] {
    this.#socket.pause();
    this.#socket.off('data', this.#arrived).off('end', this.end).off('close', this.end);
    return this.#waiting.splice(0);
  }

  /** No more is wanted or will come; whoever waits is told. */
  readonly end = (): void => {
    this.#ended = true;
    this.#answer(undefined);
  };

  readonly #arrived = (chunk: Uint8Array): void => {
    if (this.#asker) return this.#answer(chunk);
    this.#waiting.push(chunk);
    this.#socket.pause();
  };

  #answer(chunk: Uint8Array | undefined): void {
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.(chunk);
  }
}
