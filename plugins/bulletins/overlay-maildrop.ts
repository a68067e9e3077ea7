import { type AppendableMaildrop, type Maildrop, type NewMessage, PartlyRemoved } from 'popperd';

import type { BoxedMessage, OverlayBox } from './overlay-box.ts';

/** A maildrop with the messages of a box behind its own, which they look like. */
export class OverlayMaildrop implements AppendableMaildrop {
  readonly count: number;
  readonly totalOctets: number;
  readonly #inner: Maildrop;
  readonly #box: OverlayBox;
  readonly #boxed: readonly BoxedMessage[];

  constructor(inner: Maildrop, box: OverlayBox, boxed: readonly BoxedMessage[]) {
    this.#inner = inner;
    this.#box = box;
    this.#boxed = boxed;
    this.count = inner.count + boxed.length;
    this.totalOctets = inner.totalOctets + sumOf(boxed);
  }

  async load(): Promise<void> {
    await this.#inner.load?.();
  }

  octetsOf(index: number): number {
    return this.#boxedAt(index)?.octets ?? this.#inner.octetsOf(index);
  }

  uidOf(index: number): string {
    return this.#boxedAt(index)?.uid ?? this.#inner.uidOf(index);
  }

  read(index: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const boxed = this.#boxedAt(index);
    return boxed === undefined ? this.#inner.read(index, signal) : this.#box.read(boxed, signal);
  }

  /** Messages of the box may go where the store's may not: which one is meant is not known yet. */
  async mayDelete(): Promise<void> {
    if (this.#boxed.length === 0) await this.#inner.mayDelete?.();
  }

  /** The store's own come first: where it removes none of them, none of the others go either. */
  async commit(deleted: ReadonlySet<number>): Promise<void> {
    const own = [...deleted].filter((index) => index < this.#inner.count);
    const boxed = [...deleted].flatMap((index) => this.#boxedAt(index) ?? []);
    if (boxed.length > 0) await this.load();
    const ownOctets = boxed.length > 0 ? own.reduce((sum, index) => sum + this.#inner.octetsOf(index), 0) : 0;
    if (own.length > 0) await this.#inner.commit(new Set(own));
    if (boxed.length === 0) return;
    try {
      await this.#box.remove(boxed.map(({ name }) => name));
    } catch (error) {
      const removed = { messages: own.length, octets: ownOctets };
      throw new PartlyRemoved('bulletins could not be removed', { code: 'SYS/TEMP', cause: error, removed });
    }
  }

  async append(messages: readonly NewMessage[]): Promise<Maildrop> {
    await this.#box.add(messages);
    return new OverlayMaildrop(this.#inner, this.#box, await this.#box.list());
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #boxedAt(index: number): BoxedMessage | undefined {
    return this.#boxed[index - this.#inner.count];
  }
}

const sumOf = (boxed: readonly BoxedMessage[]): number => boxed.reduce((sum, { octets }) => sum + octets, 0);
