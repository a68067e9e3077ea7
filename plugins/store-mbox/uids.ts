import { twinDigest } from './canonical.ts';
import { DigestTable } from './digest-table.ts';
import { type Rows, type RowsBuilder, uidOctets } from './rows.ts';

/** Finds rows by digest. */
interface CopyFinder {
  /** Indexes of all rows with this digest, ascending. */
  of(digest: Uint8Array): readonly number[];
}

/** For a few questions it is not worth while to sort all rows in. */
class FewQuestions implements CopyFinder {
  readonly #rows: Rows;
  #leftCount = 16;
  #copies: Copies | undefined;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  of(digest: Uint8Array): readonly number[] {
    this.#leftCount -= 1;
    if (this.#leftCount >= 0) return this.#rows.allOf(digest);
    this.#copies ??= new Copies(this.#rows);
    return this.#copies.of(digest);
  }
}

/** Rows by digest: equal messages are counted in mailbox order. */
export class Copies implements CopyFinder {
  readonly #rows: Rows;
  readonly #firsts: DigestTable;
  /** All rows of a digest that has several, by the first of them. */
  readonly #twins = new Map<number, number[]>();

  constructor(rows: Rows) {
    this.#rows = rows;
    this.#firsts = new DigestTable(rows, rows.count);
    for (let index = 0; index < rows.count; index += 1) {
      const first = this.#firsts.add(index, rows.digestOf(index));
      if (first !== undefined) this.#twinsOf(first).push(index);
    }
  }

  of(digest: Uint8Array): readonly number[] {
    const first = this.#rows.count === 0 ? undefined : this.#firsts.find(digest);
    if (first === undefined) return [];
    return this.#twins.get(first) ?? [first];
  }

  #twinsOf(first: number): number[] {
    const twins = this.#twins.get(first) ?? [first];
    this.#twins.set(first, twins);
    return twins;
  }
}

interface Group {
  copies: number;
  used: Set<string>;
  lastCopy: number;
}

/**
 * Gives messages their uids in mailbox order. A message that was known keeps its own: the k-th copy of a digest is taken
 * for the k-th one known. Others get the digest of their canonical form, or a twin's if that is taken.
 */
export class UidAssigner {
  readonly #known: Rows;
  readonly #knownCopies: CopyFinder;
  readonly #keptCount: number;
  readonly #fresh: DigestTable;
  readonly #builder: RowsBuilder;
  readonly #groups = new Map<string, Group>();

  /** The builder has the first `keptCount` rows of `known` already, and gets each message after its uid is given. */
  constructor(known: Rows, keptCount: number, builder: RowsBuilder) {
    this.#known = known;
    this.#knownCopies = new FewQuestions(known);
    this.#keptCount = keptCount;
    this.#builder = builder;
    this.#fresh = new DigestTable(builder, 64);
  }

  assign(digest: Uint8Array, canonical: Uint8Array): Uint8Array {
    const known = this.#knownCopies.of(digest);
    const isTwin = this.#fresh.add(this.#builder.count, digest) !== undefined;
    if (known.length === 0 && !isTwin) return digest.subarray(0, uidOctets);
    const group = this.#groupOf(digest, known);
    group.copies += 1;
    const same = known[group.copies - 1];
    return same === undefined ? nextUid(canonical, group) : this.#known.uidOf(same);
  }

  #groupOf(digest: Uint8Array, known: readonly number[]): Group {
    const name = Buffer.from(digest).toString('latin1');
    const group = this.#groups.get(name) ?? this.#newGroup(digest, known);
    this.#groups.set(name, group);
    return group;
  }

  #newGroup(digest: Uint8Array, known: readonly number[]): Group {
    const used = new Set(known.map((index) => uidText(this.#known.uidOf(index))));
    if (known.length > 0) {
      const copies = known.filter((index) => index < this.#keptCount).length;
      return { copies, used, lastCopy: copies };
    }
    // The first of these came alone, and has the digest's own uid.
    return { copies: 1, used: used.add(uidText(digest.subarray(0, uidOctets))), lastCopy: 1 };
  }
}

/** Counts on until a copy's name is free: one that was deleted may have left a gap that is not filled again. */
function nextUid(canonical: Uint8Array, group: Group): Uint8Array {
  for (let copy = Math.max(group.lastCopy + 1, group.copies); ; copy += 1) {
    const uid = twinDigest(canonical, copy).subarray(0, uidOctets);
    const text = uidText(uid);
    if (group.used.has(text)) continue;
    group.used.add(text);
    group.lastCopy = copy;
    return uid;
  }
}

/** Base 32 with the digits of RFC 4648 section 7, lower case: 26 characters for 16 octets, which are the most. */
export function uidText(uid: Uint8Array): string {
  let length = 0;
  let bits = 0;
  let bitCount = 0;
  for (let index = 0; index < uid.length; index += 1) {
    bits = (bits << 8) | (uid[index] ?? 0);
    for (bitCount += 8; bitCount >= 5; bitCount -= 5) {
      characters[length] = digits[(bits >> (bitCount - 5)) & 31] ?? 0;
      length += 1;
    }
    bits &= 31;
  }
  if (bitCount > 0) {
    characters[length] = digits[(bits << (5 - bitCount)) & 31] ?? 0;
    length += 1;
  }
  return characters.toString('latin1', 0, length);
}

const digits = Buffer.from('0123456789abcdefghijklmnopqrstuv');
/** To write them here and make one text of them takes half as long as adding texts up, of which a listing has very many. */
const characters = Buffer.alloc(Math.ceil((uidOctets * 8) / 5));
