import type { Socket } from 'node:net';

/** A client's connection that its session has given up, with what had been read of it by then. */
export interface HandedOver {
  readonly socket: Socket;
  /** Octets that came after the login command, in their order. */
  readonly early: Uint8Array;
  /** Ends the connection so that the client can tell that it has not got all. */
  readonly giveUp: () => void;
}

export interface RelayOptions {
  /** Milliseconds without an octet in either direction after which both ends are given up. */
  readonly silenceMs: number;
}

/** Octets that were passed on, by direction. */
export interface Relayed {
  readonly fromClient: number;
  readonly fromWorker: number;
}

/**
 * Passes octets between a client and the worker that runs its session, until the worker has ended and the client's kernel has
 * the last of what it said, or the client is gone. Then the worker's end is closed, and the client's is left to the
 * caller, who knows whether that was all. What an end has not taken stops the other: each direction holds one chunk and
 * what a socket buffers, 64 KiB each. Never throws.
 *
 * A client may close its half: it is still answered. Where it breaks its connection, the worker sees only that it has
 * ended, until it writes: it is to be told.
 */
export async function relay(
  { socket: client, early, giveUp }: HandedOver,
  worker: Socket,
  options: RelayOptions,
): Promise<Relayed> {
  // An error would end the process; 'close' follows it.
  for (const socket of [client, worker]) socket.on('error', () => {});
  const silence = setTimeout(() => {
    giveUp();
    worker.destroy();
  }, options.silenceMs);
  const up = new Flow(client, worker, silence);
  const down = new Flow(worker, client, silence);
  void up.over.then(() => worker.end());
  // Of one who is gone nobody knows whether it still wants what it has asked for.
  up.begin(client.destroyed ? nothing : early);
  down.begin();
  await Promise.race([down.over, closed(client)]);
  clearTimeout(silence);
  up.end();
  down.end();
  worker.destroy();
  return { fromClient: up.octets, fromWorker: down.octets };
}

/** One direction. */
class Flow {
  octets = 0;
  /** Resolves when the source has ended, and the other side's kernel has all of it. */
  readonly over: Promise<void>;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #silence: NodeJS.Timeout;
  readonly #isOver: () => void;
  #hasEnded = false;
  /** Chunks that the kernel has not taken. */
  #waiting = 0;

  constructor(from: Socket, to: Socket, silence: NodeJS.Timeout) {
    this.#from = from;
    this.#to = to;
    this.#silence = silence;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#isOver = resolve;
  }

  /** The early octets go first. */
  begin(early: Uint8Array = nothing): void {
    // One that dies closes without further ado.
    this.#from.on('data', this.#pass).on('end', this.#finish).on('close', this.#finish);
    this.#to.on('drain', this.#goOn);
    if (early.length > 0) this.#pass(early);
    // It has closed its half before it came to us, and says so only once.
    if (this.#from.readableEnded || this.#from.destroyed) this.#finish();
    else if (!this.#to.writableNeedDrain) this.#goOn();
  }

  end(): void {
    this.#from.off('data', this.#pass).off('end', this.#finish).off('close', this.#finish);
    this.#to.off('drain', this.#goOn);
  }

  readonly #pass = (chunk: Uint8Array): void => {
    this.#silence.refresh();
    this.octets += chunk.length;
    // What comes for one who has closed is read all the same: the kernel resets a connection that was not read to its end.
    if (!this.#to.writable) return;
    this.#waiting += 1;
    // A whole chunk counts as too much before it is written; where the kernel has taken all of it, there is nothing to wait for.
    if (!this.#to.write(chunk, this.#taken) && this.#to.writableLength > 0) this.#from.pause();
  };

  readonly #taken = (): void => {
    this.#waiting -= 1;
    if (this.#hasEnded && this.#waiting === 0) this.#isOver();
  };

  readonly #goOn = (): void => {
    this.#silence.refresh();
    this.#from.resume();
  };

  readonly #finish = (): void => {
    this.#hasEnded = true;
    if (this.#waiting === 0) this.#isOver();
  };
}

const nothing = new Uint8Array(0);

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}
