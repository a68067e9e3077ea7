import { setImmediate as turn } from 'node:timers/promises';

import { over, type Pieces, piecesOf } from '../protocol/pieces.ts';
import { Hung } from './ends-within.ts';

/**
 * How long a session waits for what a store or a plugin is to give it next. It stands between each message and the client, so
 * all that is done for each piece is to write down that it was asked for, and when; a timer looks at that now and then. None
 * runs in a session that waits for its client.
 */
export class Patience {
  readonly #withinMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** What was asked for last, be it there by now or not. */
  #asked: Promise<unknown> | undefined;
  #askedAtMs = 0;
  #giveUp: (reason: Hung) => void = () => {};

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /** What the work comes to, or a `Hung` where it takes too long. The work goes on then, for nothing can stop it. */
  for<T>(work: Promise<T>): Promise<T> {
    return this.#unlessHung(this.#ask(work));
  }

  /**
   * What sending the pieces comes to, a body's or lines, or a `Hung` where one of them takes too long. Only they are waited for
   * in this way, and not the client who reads them.
   */
  whileSending<Piece, T>(
    pieces: AsyncIterable<Piece>,
    send: (pieces: AsyncIterable<Piece>) => T | Promise<T>,
  ): T | Promise<T> {
    const sent = send(new Watched(pieces, (work) => this.#ask(work)));
    return sent instanceof Promise ? this.#unlessHung(sent) : sent;
  }

  /** The session is over. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #ask<T>(work: Promise<T>): Promise<T> {
    this.#asked = work;
    this.#askedAtMs = performance.now();
    this.#timer ??= this.#lookIn(this.#withinMs);
    return work;
  }

  #unlessHung<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      work.then(resolve, reject);
    });
  }

  #lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      const leftMs = this.#withinMs - (performance.now() - this.#askedAtMs);
      if (leftMs > 0) this.#timer = this.#lookIn(leftMs);
      else void this.#giveUpUnlessThere(this.#asked);
    }, ms);
  }

  async #giveUpUnlessThere(asked: Promise<unknown> | undefined): Promise<void> {
    // A plugin in plain JavaScript may give a piece without a promise.
    const isThere = await Promise.race([Promise.resolve(asked).then(always, always), turn(false)]);
    if (!isThere && this.#asked === asked) this.#giveUp(new Hung(`no answer within ${this.#withinMs} ms`));
  }
}

const always = (): true => true;

/** The same pieces, each of them asked for by `ask`. */
class Watched<Piece> implements AsyncIterableIterator<Piece>, Pieces<Piece> {
  readonly #pieces: Pieces<Piece>;
  readonly #ask: <T>(work: Promise<T>) => Promise<T>;

  constructor(pieces: AsyncIterable<Piece>, ask: <T>(work: Promise<T>) => Promise<T>) {
    this.#pieces = piecesOf(pieces);
    this.#ask = ask;
  }

  next(): Promise<IteratorResult<Piece>> {
    return this.#ask(this.#pieces.next());
  }

  nextHere(): IteratorResult<Piece> | undefined {
    return this.#pieces.nextHere?.();
  }

  async return(): Promise<IteratorResult<Piece>> {
    await this.#pieces.return?.();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
