/** Anything whose rows have digests: `Rows`, or a `RowsBuilder`. */
export interface DigestRows {
  sameDigest(index: number, digest: Uint8Array): boolean;
}

/** Finds the first row with a digest. Open addressing over row indexes: 8 octets or so a row, and no objects. */
export class DigestTable {
  readonly #rows: DigestRows;
  #slots: Int32Array;
  #count = 0;

  /** `expectedCount` rows will be added; more may be. */
  constructor(rows: DigestRows, expectedCount: number) {
    this.#rows = rows;
    this.#slots = emptySlots(expectedCount * 2);
  }

  /** The first row added with this digest. */
  find(digest: Uint8Array): number | undefined {
    const index = this.#slots[this.#slotOf(digest)] ?? noRow;
    return index === noRow ? undefined : index;
  }

  /** Adds a row, and answers the row that had the digest before; then the new one is not added. */
  add(index: number, digest: Uint8Array, digestOf: (index: number) => Uint8Array): number | undefined {
    if (this.#count * 2 >= this.#slots.length) this.#grow(digestOf);
    const slot = this.#slotOf(digest);
    const former = this.#slots[slot] ?? noRow;
    if (former !== noRow) return former;
    this.#slots[slot] = index;
    this.#count += 1;
    return undefined;
  }

  /** The slot that holds the digest's row, or the free one where it belongs. */
  #slotOf(digest: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = firstWord(digest) & mask;
    for (;;) {
      const index = this.#slots[slot] ?? noRow;
      if (index === noRow || this.#rows.sameDigest(index, digest)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(digestOf: (index: number) => Uint8Array): void {
    const former = this.#slots;
    this.#slots = emptySlots(former.length * 2);
    for (const index of former) {
      if (index !== noRow) this.#slots[this.#slotOf(digestOf(index))] = index;
    }
  }
}

const noRow = -1;

function emptySlots(count: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(Math.max(count, 64)))).fill(noRow);
}

/** Digests are evenly spread, so their first octets do for a hash. */
const firstWord = ([a = 0, b = 0, c = 0, d = 0]: Uint8Array): number => a | (b << 8) | (c << 16) | (d << 24);
