import assert from 'node:assert/strict';

import type { Maildrop } from '../../maildrop/maildrop.ts';
import { Failure } from '../../protocol/failure.ts';
import { OctetCounter } from '../../protocol/octet-counter.ts';
import type { StoreUnderTest } from './store-under-test.ts';

const user = 'mrose';

/** One test's store, and the questions that come again and again. Closes what a test leaves open. */
export class Trial {
  readonly #asStored: (delivered: Uint8Array) => Uint8Array;
  readonly #store: StoreUnderTest;
  readonly #open = new Set<Maildrop>();

  constructor(store: StoreUnderTest, asStored: ((delivered: Uint8Array) => Uint8Array) | undefined) {
    this.#store = store;
    this.#asStored = asStored ?? ((delivered) => delivered);
  }

  deliver(messages: readonly Uint8Array[], to = user): Promise<void> {
    return this.#store.deliver(to, messages);
  }

  /** A session's maildrop, loaded. Closing it twice is this class's doing and not asked of the store. */
  async open(by = user): Promise<Maildrop> {
    const opened = await this.#store.open(by);
    this.#open.add(opened);
    await opened.load?.();
    const close = async (): Promise<void> => {
      if (this.#open.delete(opened)) await opened.close();
    };
    return new Proxy(opened, {
      get: (target, name) => (name === 'close' ? close : bound(target, name)),
    });
  }

  /** Ends the sessions there are and opens another. */
  async openAnew(): Promise<Maildrop> {
    await this.#closeAll();
    return this.open();
  }

  async restart(): Promise<void> {
    await this.#closeAll();
    await this.#store.restart();
  }

  async restarted(): Promise<Maildrop> {
    await this.restart();
    return this.open();
  }

  removeBehind(index: number): Promise<void> {
    return this.#store.removeBehind(user, index);
  }

  /** Just these messages are there, with the sizes that RETR will send. */
  async assertHolds(maildrop: Maildrop, delivered: readonly Uint8Array[]): Promise<void> {
    this.assertCounts(maildrop, delivered);
    for (const [index, octets] of delivered.entries()) await this.assertReads(maildrop, index, octets);
  }

  assertCounts(maildrop: Maildrop, delivered: readonly Uint8Array[]): void {
    const sizes = delivered.map((octets) => octetsOf(this.#asStored(octets)));
    assert.equal(maildrop.count, delivered.length);
    assert.deepEqual(
      sizes.map((_, index) => maildrop.octetsOf(index)),
      sizes,
    );
    assert.equal(
      maildrop.totalOctets,
      sizes.reduce((sum, octets) => sum + octets, 0),
    );
  }

  async assertReads(maildrop: Maildrop, index: number, delivered: Uint8Array | undefined): Promise<void> {
    assert.ok(delivered !== undefined, `the test delivered no message ${index}`);
    const chunks: Uint8Array[] = [];
    // A chunk is good until the next one is asked for.
    for await (const chunk of maildrop.read(index, signal())) chunks.push(Buffer.from(chunk));
    this.#assertSame(index, Buffer.concat(chunks), delivered);
  }

  /** Just these lie there, to whoever looks past the store. */
  async assertStored(delivered: readonly Uint8Array[], of = user): Promise<void> {
    const stored = await this.#store.stored(of);
    assert.equal(stored.length, delivered.length);
    for (const [index, octets] of delivered.entries()) this.#assertSame(index, stored[index], octets);
  }

  async end(): Promise<void> {
    await this.#closeAll();
    await this.#store.dispose();
  }

  /** Not by deepEqual: it would take minutes to show how two megabytes differ. */
  #assertSame(index: number, octets: Uint8Array | undefined, delivered: Uint8Array): void {
    const wanted = Buffer.from(this.#asStored(delivered));
    const got = Buffer.from(octets ?? []);
    assert.ok(got.equals(wanted), `message ${index} is to be ${excerpt(wanted)}, and is ${excerpt(got)}`);
  }

  async #closeAll(): Promise<void> {
    for (const maildrop of this.#open) await maildrop.close();
    this.#open.clear();
  }
}

function bound(target: Maildrop, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name, target);
  return typeof member === 'function' ? member.bind(target) : member;
}

function octetsOf(stored: Uint8Array): number {
  const counter = new OctetCounter();
  counter.add(stored);
  return counter.end();
}

const excerpt = (octets: Buffer): string =>
  `${JSON.stringify(octets.subarray(0, 80).toString('latin1'))} (${octets.length} octets)`;

export const uidsOf = (maildrop: Maildrop): readonly string[] =>
  Array.from({ length: maildrop.count }, (_, index) => maildrop.uidOf(index));

/** The signal of a client that stays. */
export const signal = (): AbortSignal => new AbortController().signal;

export const isInUse = (error: unknown): boolean => error instanceof Failure && error.code === 'IN-USE';
