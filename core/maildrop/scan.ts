import { carriageReturn, lineFeed, maxPrefixOctets } from '../protocol/kernel-interface.ts';
import { kernel } from '../protocol/kernel.ts';
import { OctetCounter } from '../protocol/octet-counter.ts';

/** The octets of a stored message as RETR will send them, which is what `Maildrop.octetsOf` has to answer. */
export async function countOctets(source: AsyncIterable<Uint8Array>): Promise<number> {
  const counter = new OctetCounter();
  for await (const chunk of source) counter.add(chunk);
  return counter.end();
}

/** The lines one call has found, a column for each fact: valid until the scanner is called again. */
export interface LineStarts {
  readonly count: number;
  /** Where each line begins, in octets from the beginning of the file. */
  readonly offsets: Float64Array;
  /** Bare line feeds that the scanner has met before each line, from where it began. */
  readonly bareLineFeeds: Float64Array;
  /** Octets of the empty line right before each line: 0 if there is none, 1 if it is LF, 2 if it is CRLF. */
  readonly blankLineOctets: Uint8Array;
}

export interface LineStartScannerOptions {
  /** Offset in the file of the first octet to come; 0 if left out. */
  readonly offset?: number;
  /**
   * The last 7 octets before it, so that a line is found that begins there, and the empty line before one. Fewer, or
   * none, are taken to begin a line.
   */
  readonly before?: Uint8Array;
}

/**
 * Finds the lines that begin with a prefix (`From ` in an mbox) and counts bare line feeds beside, in one pass over
 * chunks of any size, some MiB at best. A line is reported by the call that brings the last octet of its prefix, so
 * it may begin before that call's chunk.
 *
 * From the second column a store has its messages' octets: the octets of a range are its length, plus the bare line
 * feeds in it, plus 2 if it is not empty and does not end in LF. The range has to begin at a line start.
 */
export class LineStartScanner {
  readonly #prefix: Uint8Array;
  readonly #columns = new Columns();
  readonly #before: Uint8Array;
  #offset: number;
  #bareLineFeeds = 0;

  /** Throws a RangeError if the prefix is empty, longer than 5 octets or holds a CR or LF. */
  constructor(prefix: string, { offset = 0, before = nothing }: LineStartScannerOptions = {}) {
    this.#prefix = Buffer.from(prefix, 'latin1');
    if (!/^[^\r\n]+$/.test(prefix) || prefix.length > maxPrefixOctets) {
      throw new RangeError(
        `a prefix has 1 to ${maxPrefixOctets} octets and no line end, not ${JSON.stringify(prefix)}`,
      );
    }
    this.#offset = offset;
    this.#before = new Uint8Array(beforeOctets);
    this.#remember(lineEnd);
    this.#remember(before);
  }

  /** Where the next chunk begins in the file. */
  get offset(): number {
    return this.#offset;
  }

  /** All bare line feeds so far. */
  get bareLineFeeds(): number {
    return this.#bareLineFeeds;
  }

  scan(chunk: Uint8Array): LineStarts {
    this.#columns.clear();
    this.#scanBorder(chunk);
    const bareLineFeeds = kernel.scanLineStarts(
      chunk,
      this.#before.at(-1) ?? lineFeed,
      this.#prefix,
      (index, bareBefore) => this.#report(chunk, index, this.#bareLineFeeds + bareBefore),
    );
    this.#bareLineFeeds += bareLineFeeds;
    this.#offset += chunk.length;
    this.#remember(chunk);
    return this.#columns.view();
  }

  /** Prefixes that began in an earlier chunk and end in this one; there is no line feed in them to be counted. */
  #scanBorder(chunk: Uint8Array): void {
    for (let index = 1 - this.#prefix.length; index < 0; index += 1) {
      if (this.#isHit(chunk, index)) this.#report(chunk, index, this.#bareLineFeeds);
    }
  }

  #isHit(chunk: Uint8Array, index: number): boolean {
    return (
      octetAt(this.#before, chunk, index - 1) === lineFeed &&
      this.#prefix.every((octet, at) => octetAt(this.#before, chunk, index + at) === octet)
    );
  }

  #report(chunk: Uint8Array, index: number, bareLineFeeds: number): void {
    const blankLineOctets = blankLineOctetsBefore(this.#before, chunk, index);
    this.#columns.add(this.#offset + index, bareLineFeeds, blankLineOctets);
  }

  /** Keeps the last octets seen, for the next chunk's border. */
  #remember(chunk: Uint8Array): void {
    const last = chunk.subarray(-beforeOctets);
    this.#before.copyWithin(0, last.length);
    this.#before.set(last, beforeOctets - last.length);
  }
}

/** A prefix that lacks its last octet, and the line ends of an empty line and of the line before it. */
const beforeOctets = maxPrefixOctets - 1 + 3;
const nothing = new Uint8Array(0);
const lineEnd = Uint8Array.of(lineFeed);

/** The octet at an index of the chunk, or of what came before it if the index is negative. */
function octetAt(before: Uint8Array, chunk: Uint8Array, index: number): number | undefined {
  return index < 0 ? before[beforeOctets + index] : chunk[index];
}

function blankLineOctetsBefore(before: Uint8Array, chunk: Uint8Array, index: number): number {
  const last = octetAt(before, chunk, index - 2);
  if (last === lineFeed) return 1;
  return last === carriageReturn && octetAt(before, chunk, index - 3) === lineFeed ? 2 : 0;
}

/** Columns that grow together and are used over and over. */
class Columns {
  #count = 0;
  #offsets = new Float64Array(64);
  #bareLineFeeds = new Float64Array(64);
  #blankLineOctets = new Uint8Array(64);

  clear(): void {
    this.#count = 0;
  }

  add(offset: number, bareLineFeeds: number, blankLineOctets: number): void {
    if (this.#count === this.#offsets.length) this.#grow();
    this.#offsets[this.#count] = offset;
    this.#bareLineFeeds[this.#count] = bareLineFeeds;
    this.#blankLineOctets[this.#count] = blankLineOctets;
    this.#count += 1;
  }

  view(): LineStarts {
    return {
      count: this.#count,
      offsets: this.#offsets.subarray(0, this.#count),
      bareLineFeeds: this.#bareLineFeeds.subarray(0, this.#count),
      blankLineOctets: this.#blankLineOctets.subarray(0, this.#count),
    };
  }

  #grow(): void {
    const { offsets, bareLineFeeds, blankLineOctets } = this.view();
    this.#offsets = new Float64Array(this.#count * 2);
    this.#bareLineFeeds = new Float64Array(this.#count * 2);
    this.#blankLineOctets = new Uint8Array(this.#count * 2);
    this.#offsets.set(offsets);
    this.#bareLineFeeds.set(bareLineFeeds);
    this.#blankLineOctets.set(blankLineOctets);
  }
}
