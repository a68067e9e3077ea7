import { carriageReturn, lineFeed } from '../protocol/kernel-interface.ts';
import { kernel } from '../protocol/kernel.ts';
import { letGo, over, type Pieces, piecesOf } from '../protocol/pieces.ts';

type Octets = IteratorResult<Uint8Array>;

/**
 * The top of a stored message: its header, the empty line after it, and that many lines of the body (RFC 1939 section
 * 7), with the line ends it has; no line is made up. A message without an empty line is all header. Reads no further
 * than it has to, and closes the source. A class, not an async generator: this stands between each message and the client.
 */
export class Top implements AsyncIterableIterator<Uint8Array>, Pieces<Uint8Array> {
  readonly #message: Pieces<Uint8Array>;
  readonly #header = new HeaderEnd();
  #inHeader = true;
  #linesLeft: number;
  #isWhole = false;

  constructor(message: AsyncIterable<Uint8Array>, lines: number) {
    this.#message = piecesOf(message);
    this.#linesLeft = lines;
  }

  nextHere(): Octets | undefined {
    if (this.#isWhole) {
      void letGo(this.#message);
      return over;
    }
    const next = this.#message.nextHere?.();
    return next === undefined ? undefined : this.#cut(next);
  }

  async next(): Promise<Octets> {
    if (!this.#isWhole) return this.#cut(await this.#message.next());
    await letGo(this.#message);
    return over;
  }

  async return(): Promise<Octets> {
    await this.#message.return?.();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** As much of the piece as belongs to the top. */
  #cut(next: Octets): Octets {
    if (next.done === true) return next;
    const octets = next.value;
    const bodyIndex = this.#inHeader ? this.#header.find(octets) : 0;
    if (bodyIndex === undefined) return next;
    this.#inHeader = false;
    const taken = takeLines(octets, bodyIndex, this.#linesLeft);
    this.#linesLeft -= taken.lines;
    this.#isWhole = this.#linesLeft === 0;
    return { done: false, value: octets.subarray(0, taken.end) };
  }
}

/** Looks for the empty line that ends a header, over any chunking. */
class HeaderEnd {
  /** What the line at hand has so far. */
  #line: 'nothing' | 'CR' | 'text' = 'nothing';

  /**
   * The index after the empty line, or undefined if it is not in this chunk. Octet by octet: a header has so many short lines that
   * to search for the end of each costs more.
   */
  find(chunk: Uint8Array): number | undefined {
    let line = this.#line;
    for (let index = 0; index < chunk.length; index += 1) {
      const octet = chunk[index];
      if (octet === lineFeed && line !== 'text') return index + 1;
      if (octet === lineFeed) line = 'nothing';
      else line = octet === carriageReturn && line === 'nothing' ? 'CR' : 'text';
    }
    this.#line = line;
    return undefined;
  }
}

/** Where `lines` lines from `start` on end, and how many of them the chunk has. */
function takeLines(chunk: Uint8Array, start: number, lines: number): { end: number; lines: number } {
  if (lines === 0) return { end: start, lines: 0 };
  const body = chunk.subarray(start);
  const available = kernel.countLineFeeds(body);
  if (available < lines) return { end: chunk.length, lines: available };
  let end = start;
  for (let line = 0; line < lines; line += 1) end = chunk.indexOf(lineFeed, end) + 1;
  return { end, lines };
}
