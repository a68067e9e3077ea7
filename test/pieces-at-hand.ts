import type { Pieces } from 'popperd';

/**
 * A message whose chunks are at hand where `isHere` says so, and have to be waited for elsewhere. Counts how often it was read and
 * waited for, and knows whether it was closed.
 */
export class PiecesAtHand implements AsyncIterableIterator<Uint8Array>, Pieces<Uint8Array> {
  waits = 0;
  isClosed = false;
  #at = 0;
  readonly #chunks: readonly Uint8Array[];
  readonly #isHere: (index: number) => boolean;

  constructor(chunks: readonly Uint8Array[], isHere: (index: number) => boolean = () => true) {
    this.#chunks = chunks;
    this.#isHere = isHere;
  }

  get taken(): number {
    return this.#at;
  }

  nextHere(): IteratorResult<Uint8Array> | undefined {
    return this.#isHere(this.#at) ? this.#take() : undefined;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.waits += 1;
    return this.#take();
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.isClosed = true;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): IteratorResult<Uint8Array> {
    const value = this.isClosed ? undefined : this.#chunks[this.#at];
    if (value === undefined) return { done: true, value: undefined };
    this.#at += 1;
    return { done: false, value };
  }
}
