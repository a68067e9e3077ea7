import type { Rows } from './rows.ts';
import { Copies } from './uids.ts';

/** Where the messages a session listed are now. They are known by digest, equal ones by their order. */
export class Placement {
  readonly #listed: Rows;
  readonly rows: Rows;
  readonly #sameCount: number;
  #copies: { readonly listed: Copies; readonly now: Copies } | undefined;

  /** The first `sameCount` of the rows listed are still where they were. */
  constructor(listed: Rows, now: Rows, sameCount: number) {
    this.#listed = listed;
    this.rows = now;
    this.#sameCount = sameCount;
  }

  /** The same messages after another look, which left the first `keptCount` of `rows` as they were. */
  moved(now: Rows, keptCount: number): Placement {
    return new Placement(this.#listed, now, Math.min(this.#sameCount, keptCount));
  }

  /** The row of `rows` that a listed message has now; undefined if it is gone. */
  rowOf(index: number): number | undefined {
    if (index < this.#sameCount) return index;
    this.#copies ??= { listed: new Copies(this.#listed), now: new Copies(this.rows) };
    const digest = this.#listed.digestOf(index);
    const copy = this.#copies.listed.of(digest).indexOf(index);
    return this.#copies.now.of(digest)[copy];
  }
}
