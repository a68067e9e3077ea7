import { Failure, type Maildrop } from 'popperd';

import type { NextNumber } from './counter.ts';

/**
 * A maildrop with bulletins that the counter does not know of yet. Were one deleted now, the next session would bring it again:
 * so nothing is, until the counter can be written.
 */
export class UncountedMaildrop implements Maildrop {
  readonly count: number;
  readonly totalOctets: number;
  readonly #inner: Maildrop;
  readonly #next: NextNumber;
  #isCounted = false;

  constructor(inner: Maildrop, next: NextNumber) {
    this.#inner = inner;
    this.#next = next;
    this.count = inner.count;
    this.totalOctets = inner.totalOctets;
  }

  async load(): Promise<void> {
    await this.#inner.load?.();
  }

  octetsOf(index: number): number {
    return this.#inner.octetsOf(index);
  }

  uidOf(index: number): string {
    return this.#inner.uidOf(index);
  }

  read(index: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#inner.read(index, signal);
  }

  async mayDelete(): Promise<void> {
    await this.#inner.mayDelete?.();
  }

  async commit(deleted: ReadonlySet<number>): Promise<void> {
    try {
      if (!this.#isCounted) await this.#next.commit();
    } catch (error) {
      const text = 'bulletins cannot be counted just now, no messages deleted';
      throw new Failure(text, { code: 'SYS/TEMP', cause: error });
    }
    this.#isCounted = true;
    await this.#inner.commit(deleted);
  }

  async close(): Promise<void> {
    try {
      if (!this.#isCounted) await this.#next.abandon();
    } finally {
      await this.#inner.close();
    }
  }
}
