/**
 * The index of a mailbox: one row of numbers and digests for each message, all in one buffer. No object is made for
 * a message. A row has, little-endian:
 *
 *      0  offset of the From_ line in the mailbox          (float64)
 *      8  stored octets of the message without From_ line   (float64)
 *     16  octets as RETR sends them                          (float64)
 *     24  octets of the From_ line with its end              (uint32)
 *     28  octets of the empty line behind the message, 0-2   (uint32)
 *     32  SHA-256 of the canonical form
 *     64  uid, 16 octets
 */
export const rowOctets = 80;
export const digestOctets = 32;
export const uidOctets = 16;

/** Where a message lies: its From_ line begins at `offset`, the next message's at `end`. */
export interface Extent {
  readonly offset: number;
  readonly envelopeOctets: number;
  readonly contentOctets: number;
  readonly separatorOctets: number;
}

export interface Row extends Extent {
  readonly octets: number;
  readonly digest: Uint8Array;
  readonly uid: Uint8Array;
}

/** Rows that do not change any more. */
export class Rows {
  static readonly none = new Rows(Buffer.alloc(0));
  /** All rows, as they are on disk. */
  readonly octets: Buffer;
  readonly count: number;

  /** `octets` is a multiple of `rowOctets` long. */
  constructor(octets: Buffer) {
    this.octets = octets;
    this.count = octets.length / rowOctets;
  }

  offsetOf(index: number): number {
    return this.octets.readDoubleLE(index * rowOctets);
  }

  contentOctetsOf(index: number): number {
    return this.octets.readDoubleLE(index * rowOctets + 8);
  }

  octetsOf(index: number): number {
    return this.octets.readDoubleLE(index * rowOctets + 16);
  }

  envelopeOctetsOf(index: number): number {
    return this.octets.readUInt32LE(index * rowOctets + 24);
  }

  separatorOctetsOf(index: number): number {
    return this.octets.readUInt32LE(index * rowOctets + 28);
  }

  /** Where the next message begins, or the scan ended. */
  endOf(index: number): number {
    return (
      this.offsetOf(index) +
      this.envelopeOctetsOf(index) +
      this.contentOctetsOf(index) +
      this.separatorOctetsOf(index)
    );
  }

  digestOf(index: number): Buffer {
    const at = index * rowOctets + 32;
    return this.octets.subarray(at, at + digestOctets);
  }

  uidOf(index: number): Buffer {
    const at = index * rowOctets + 64;
    return this.octets.subarray(at, at + uidOctets);
  }

  /** Whether the uid is the digest's beginning, as it is for all but the second and further ones of equal messages. */
  hasOwnUid(index: number): boolean {
    const at = index * rowOctets + 32;
    // Word by word: to call compare() takes ten times as long, and this is asked of every row.
    for (let word = at; word < at + uidOctets; word += 4) {
      if (this.octets.readInt32LE(word) !== this.octets.readInt32LE(word + digestOctets)) return false;
    }
    return true;
  }

  /** Whether any message has another uid than its digest gives. */
  get hasTwins(): boolean {
    for (let index = 0; index < this.count; index += 1) {
      if (!this.hasOwnUid(index)) return true;
    }
    return false;
  }

  sameDigest(index: number, digest: Uint8Array): boolean {
    const at = index * rowOctets + 32;
    return this.octets.compare(digest, 0, digestOctets, at, at + digestOctets) === 0;
  }

  /** Indexes of all rows with this digest, ascending; looks at every row. */
  allOf(digest: Uint8Array): number[] {
    const found: number[] = [];
    const word = Buffer.from(digest).readInt32LE(0);
    for (let index = 0; index < this.count; index += 1) {
      if (this.octets.readInt32LE(index * rowOctets + 32) !== word) continue;
      if (this.sameDigest(index, digest)) found.push(index);
    }
    return found;
  }

  /** Whether the first of these are the same messages. */
  beginWith(others: Rows): boolean {
    if (others.count > this.count) return false;
    for (let index = 0; index < others.count; index += 1) {
      if (!this.sameDigest(index, others.digestOf(index))) return false;
    }
    return true;
  }

  first(count: number): Rows {
    return new Rows(this.octets.subarray(0, count * rowOctets));
  }

  /**
   * Says whether these can be the rows of a mailbox scanned up to `scannedOctets`: message after message without a
   * gap, and numbers that agree. What is on disk is not believed before.
   */
  fit(scannedOctets: number, totalOctets: number): boolean {
    let position = this.count === 0 ? scannedOctets : this.offsetOf(0);
    let sum = 0;
    for (let index = 0; index < this.count; index += 1) {
      const octets = this.octetsOf(index);
      if (!this.#isSane(index) || this.offsetOf(index) !== position) return false;
      position = this.endOf(index);
      sum += octets;
    }
    return position === scannedOctets && sum === totalOctets;
  }

  #isSane(index: number): boolean {
    const [offset, content, octets] = [
      this.offsetOf(index),
      this.contentOctetsOf(index),
      this.octetsOf(index),
    ];
    if (!isOctets(offset) || !isOctets(content) || !isOctets(octets)) return false;
    const envelope = this.envelopeOctetsOf(index);
    if (envelope < 5 || this.separatorOctetsOf(index) > 2) return false;
    return octets >= content && octets <= content * 2 + 2;
  }
}

const isOctets = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Collects rows one by one. */
export class RowsBuilder {
  #octets: Buffer;
  #count: number;
  #totalOctets = 0;

  /** Begins with a copy of these, whose messages have so many octets. */
  constructor(before: Rows = Rows.none, totalOctets = 0) {
    const capacity = before.count + Math.max(before.count >> 3, 64);
    this.#octets = Buffer.allocUnsafeSlow(capacity * rowOctets);
    before.octets.copy(this.#octets);
    this.#count = before.count;
    this.#totalOctets = totalOctets;
  }

  get count(): number {
    return this.#count;
  }

  get totalOctets(): number {
    return this.#totalOctets;
  }

  add(row: Row): void {
    const at = this.#count * rowOctets;
    if (at + rowOctets > this.#octets.length) this.#grow();
    const octets = this.#octets;
    octets.writeDoubleLE(row.offset, at);
    octets.writeDoubleLE(row.contentOctets, at + 8);
    octets.writeDoubleLE(row.octets, at + 16);
    octets.writeUInt32LE(row.envelopeOctets, at + 24);
    octets.writeUInt32LE(row.separatorOctets, at + 28);
    octets.set(row.digest, at + 32);
    octets.set(row.uid, at + 64);
    this.#count += 1;
    this.#totalOctets += row.octets;
  }

  sameDigest(index: number, digest: Uint8Array): boolean {
    const at = index * rowOctets + 32;
    return this.#octets.compare(digest, 0, digestOctets, at, at + digestOctets) === 0;
  }

  /** The builder is not used afterwards. */
  build(): Rows {
    const used = this.#octets.subarray(0, this.#count * rowOctets);
    // What a little mailbox does not need it would hold as long as it is remembered.
    return new Rows(used.length * 2 > this.#octets.length ? used : ownCopyOf(used));
  }

  #grow(): void {
    const grown = Buffer.allocUnsafeSlow(this.#octets.length * 2);
    this.#octets.copy(grown);
    this.#octets = grown;
  }
}

function ownCopyOf(octets: Buffer): Buffer {
  // Not out of the pool that small buffers share: a slice of that holds all of it.
  const copy = Buffer.allocUnsafeSlow(octets.length);
  octets.copy(copy);
  return copy;
}
