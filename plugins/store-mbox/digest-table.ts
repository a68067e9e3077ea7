/** Anything whose rows have digests: `Rows`, or a `RowsBuilder`. */
export interface DigestRows {
  sameDigest(index: number, digest: Uint8Array): boolean;
}

/** Finds the first row with a digest. Open addressing over row indexes: some 20 octets a row, and no objects. */
export class DigestTable {
  readonly #rows: DigestRows;
  #indexes: Int32Array;
  /** The beginning of each row's digest, so that others are told apart without a look at the rows. */
  #words: Int32Array;
  #count = 0;

  /** `expectedCount` rows will be added; more may be. */
  constructor(rows: DigestRows, expectedCount: number) {
    this.#rows = rows;
    const slotCount = 2 ** Math.ceil(Math.log2(Math.max(expectedCount * 2, 64)));
    this.#indexes = new Int32Array(slotCount).fill(noRow);
    this.#words = new Int32Array(slotCount);
  }

  /** The first row added with this digest. */
  find(digest: Uint8Array): number | undefined {
    const index = this.#indexes[this.#slotOf(digest, firstWord(digest))] ?? noRow;
    return index === noRow ? undefined : index;
  }

  /** Adds a row, or answers the row that has the digest already. */
  add(index: number, digest: Uint8Array): number | undefined {
    if (this.#count * 2 >= this.#indexes.length) this.#grow();
    const word = firstWord(digest);
    const slot = this.#slotOf(digest, word);
    const former = this.#indexes[slot] ?? noRow;
    if (former !== noRow) return former;
    this.#indexes[slot] = index;
    this.#words[slot] = word;
    this.#count += 1;
    return undefined;
  }

  /** The slot that holds the digest's row, or the free one where it belongs. */
  #slotOf(digest: Uint8Array, word: number): number {
    const mask = this.#indexes.length - 1;
    for (let slot = word & mask; ; slot = (slot + 1) & mask) {
      const index = this.#indexes[slot] ?? noRow;
      if (index === noRow) return slot;
      if (this.#words[slot] === word && this.#rows.sameDigest(index, digest)) return slot;
    }
  }

  #grow(): void {
    const [indexes, words] = [this.#indexes, this.#words];
    const mask = indexes.length * 2 - 1;
    this.#indexes = new Int32Array(mask + 1).fill(noRow);
    this.#words = new Int32Array(mask + 1);
    for (const [former, index] of indexes.entries()) {
      if (index === noRow) continue;
      const word = words[former] ?? 0;
      let slot = word & mask;
      while (this.#indexes[slot] !== noRow) slot = (slot + 1) & mask;
      this.#indexes[slot] = index;
      this.#words[slot] = word;
    }
  }
}

const noRow = -1;

/** Digests are evenly spread, so their first octets do for a hash. */
function firstWord(digest: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = [digest[0], digest[1], digest[2], digest[3]];
  return a | (b << 8) | (c << 16) | (d << 24);
}
