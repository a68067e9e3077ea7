import assert from 'node:assert/strict';

import type { Delivery } from './deliveries.ts';

export interface Seen {
  readonly id: string;
  readonly uid: string;
  readonly octets: Buffer;
}

/** Keeps account of every message, and asserts at each look into the maildrop that none is lost, doubled or changed. */
export class Ledger {
  readonly #offered = new Map<string, Buffer>();
  readonly #kept = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #uids = new Map<string, string>();
  readonly #uncertain = new Set<readonly string[]>();

  offered({ id, octets }: Delivery): void {
    this.#offered.set(id, octets);
  }

  confirmed(id: string): void {
    // A quick session may have deleted it before the agent had said that it was there.
    if (!this.#deleted.has(id)) this.#kept.add(id);
  }

  /** Those that every session which begins now must find. */
  get expected(): readonly string[] {
    const uncertain = new Set([...this.#uncertain].flat());
    return [...this.#kept].filter((id) => !uncertain.has(id));
  }

  get deletedCount(): number {
    return this.#deleted.size;
  }

  /**
   * QUIT is about to be said with marks on these. Unless its answer is heard, nobody knows: all of them are gone or none
   * is, and the next session will see.
   */
  quitting(ids: readonly string[]): void {
    if (ids.length > 0) this.#uncertain.add(ids);
  }

  /** QUIT said +OK. The same array as before. */
  deleted(ids: readonly string[]): void {
    this.#uncertain.delete(ids);
    for (const id of ids) {
      this.#kept.delete(id);
      this.#deleted.add(id);
    }
  }

  /** A session found these; `expected` is what it had to find at least. */
  look(found: readonly Seen[], expected: readonly string[]): void {
    for (const message of found) this.#check(message);
    const ids = new Set(found.map(({ id }) => id));
    assert.equal(ids.size, found.length, 'a message is there twice');
    assert.equal(new Set(found.map(({ uid }) => uid)).size, found.length, 'two messages have one unique-id');
    this.#settle(ids);
    const lost = expected.filter((id) => this.#kept.has(id) && !ids.has(id));
    assert.deepEqual(lost, [], 'messages are lost');
  }

  #check({ id, uid, octets }: Seen): void {
    assert.ok(!this.#deleted.has(id), `${id} was deleted and is back`);
    assert.ok(
      this.#offered.get(id)?.equals(octets),
      `${id} is not what was delivered: ${octets.toString('latin1')}`,
    );
    assert.equal(uid, this.#uids.get(id) ?? uid, `the unique-id of ${id} has changed`);
    this.#uids.set(id, uid);
  }

  #settle(ids: ReadonlySet<string>): void {
    for (const group of this.#uncertain) {
      const there = group.filter((id) => ids.has(id));
      assert.ok(
        there.length === 0 || there.length === group.length,
        `QUIT has deleted all of ${group.join()} but ${there.join()}`,
      );
      if (there.length === 0) this.deleted(group);
      else this.#uncertain.delete(group);
    }
  }
}
