/** One command line as the client sent it, without its CRLF, or why it is not one. */
export type Line =
  | { readonly kind: 'line'; readonly text: string }
  /** Over the limit: its octets were dropped as they came (RFC 2449 section 4). */
  | { readonly kind: 'too long' }
  /** Holds a NUL, a bare CR, another control character or an octet above 0x7E (RFC 2449 section 3). */
  | { readonly kind: 'malformed' };

/** A client that has sent so much in lines over the limit is not mistaken but at war (RFC 2449 section 4). */
export const maxDroppedOctets = 64 * 1024;

/**
 * Cuts a client's octets into command lines; however they are chunked, the lines are the same. A bare LF ends a line as
 * CRLF does. Spaces are left for whoever parses the line, since a password may begin or end with them.
 *
 * It keeps a chunk only while whole lines of it are unread: read until `next` gives undefined, and all that is left is
 * a copy of the unfinished line. A line over the limit is reported as soon as that is known, and never kept.
 */
export class LineReader {
  readonly #maxLineOctets: number;
  readonly #chunks: Buffer[] = [];
  /** Where the unread part of the first chunk begins. */
  #start = 0;
  /** The beginning of a line whose end has not come yet. Made when first needed: most clients send whole lines. */
  #held: Buffer | undefined;
  #heldOctets = 0;
  #dropping = false;
  #droppedOctets = 0;

  /** The limit counts the line end too. */
  constructor(maxLineOctets = 255) {
    this.#maxLineOctets = maxLineOctets;
  }

  /** Octets that came and were neither given out nor dropped. */
  get pendingOctets(): number {
    const chunkOctets = this.#chunks.reduce((octets, chunk) => octets + chunk.length, 0);
    return this.#heldOctets + chunkOctets - this.#start;
  }

  /** Octets of lines over the limit, in all, so that a channel can tell an accident from abuse. */
  get droppedOctets(): number {
    return this.#droppedOctets;
  }

  /** Takes over the chunk: the caller must not write to it afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(asBuffer(chunk));
  }

  /** The next line, or undefined until more octets come. */
  next(): Line | undefined {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const lineFeedIndex = lineFeedIn(chunk, this.#start);
      const end = lineFeedIndex === -1 ? chunk.length : lineFeedIndex + 1;
      const line = this.#addPiece(chunk, end, lineFeedIndex !== -1);
      this.#advance(chunk, end);
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /**
   * Everything unread, for another reader of the same stream. What is left of a line over the limit is not among it,
   * and if its end has not come yet, it goes on being dropped here.
   */
  take(): Uint8Array {
    if (this.#dropping) this.#dropRest();
    const first = this.#chunks[0]?.subarray(this.#start);
    const held = this.#held?.subarray(0, this.#heldOctets);
    const pieces = [held, first, ...this.#chunks.slice(1)].filter((piece) => piece !== undefined);
    this.#chunks.length = 0;
    this.#start = 0;
    this.#forgetHeld();
    const [only = empty] = pieces;
    return pieces.length <= 1 ? only : Buffer.concat(pieces);
  }

  /** Adds the octets from `#start` to `end` to the line at hand, and gives the line if that decides it. */
  #addPiece(chunk: Buffer, end: number, ends: boolean): Line | undefined {
    const octets = end - this.#start;
    if (this.#dropping) {
      this.#droppedOctets += octets;
      this.#dropping = !ends;
      return undefined;
    }
    const lineOctets = this.#heldOctets + octets;
    if (lineOctets > this.#maxLineOctets || (lineOctets === this.#maxLineOctets && !ends)) {
      this.#droppedOctets += lineOctets;
      this.#dropping = !ends;
      this.#forgetHeld();
      return tooLong;
    }
    if (ends && this.#heldOctets === 0) return lineOf(chunk, this.#start, end);
    return this.#hold(chunk, end, ends);
  }

  #hold(chunk: Buffer, end: number, ends: boolean): Line | undefined {
    this.#held ??= Buffer.allocUnsafeSlow(this.#maxLineOctets);
    this.#heldOctets += chunk.copy(this.#held, this.#heldOctets, this.#start, end);
    if (!ends) return undefined;
    const line = lineOf(this.#held, 0, this.#heldOctets);
    this.#forgetHeld();
    return line;
  }

  #advance(chunk: Buffer, end: number): void {
    this.#start = end;
    if (end < chunk.length) return;
    this.#chunks.shift();
    this.#start = 0;
  }

  #dropRest(): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined && this.#dropping; chunk = this.#chunks[0]) {
      const lineFeedIndex = chunk.indexOf(lineFeed, this.#start);
      const end = lineFeedIndex === -1 ? chunk.length : lineFeedIndex + 1;
      this.#addPiece(chunk, end, lineFeedIndex !== -1);
      this.#advance(chunk, end);
    }
  }

  #forgetHeld(): void {
    this.#held = undefined;
    this.#heldOctets = 0;
  }
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const empty = new Uint8Array(0);
const tooLong: Line = { kind: 'too long' };
const malformed: Line = { kind: 'malformed' };

/** Like `indexOf`, whose call costs more than looking at the octets of a usual command. */
function lineFeedIn(octets: Buffer, start: number): number {
  const near = Math.min(octets.length, start + 32);
  for (let index = start; index < near; index += 1) {
    if (octets[index] === lineFeed) return index;
  }
  return near === octets.length ? -1 : octets.indexOf(lineFeed, near);
}

/** The line that lies in `octets` from `start` to `end`, its line end included. */
function lineOf(octets: Buffer, start: number, end: number): Line {
  const textEnd = end - 2 >= start && octets[end - 2] === carriageReturn ? end - 2 : end - 1;
  for (let index = start; index < textEnd; index += 1) {
    const octet = octets[index] ?? 0;
    if (octet < 0x20 || octet > 0x7e) return malformed;
  }
  return { kind: 'line', text: octets.toString('latin1', start, textEnd) };
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
