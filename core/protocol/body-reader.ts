import { carriageReturn, dot, lineFeed } from './kernel-interface.ts';

/** What one chunk came to. */
export interface BodyPiece {
  /** The text's octets, a view of the chunk where nothing had to be left out; empty where there are none. */
  readonly chunks: readonly Uint8Array[];
  /** Set once the text has ended: what came after it, maybe nothing, for the line reader. */
  readonly rest?: Uint8Array;
}

/**
 * Reads text that a client sends up to a line that is a lone dot (XTND XMIT), and undoes its byte-stuffing. Line ends
 * are left as they came.
 *
 * Only CRLF counts here. The text ends at CRLF `.` CRLF, or at `.` CRLF if that is all of it, and only a dot after CRLF is
 * taken off. Were a bare LF enough on either side, text that another server took for one message would end here, and
 * what follows in it would be run as commands. Whoever sends the text on must make its line ends CRLF first, for the
 * same reason.
 *
 * Memory: a copy of the chunk where dots were taken off inside of it, and a note of how the last one ended.
 */
export class BodyReader {
  #after: After = 'CRLF';

  /** Throws if the text has ended: what comes then is not the text's. */
  push(chunk: Uint8Array): BodyPiece {
    if (this.#after === 'end') throw new Error('the text has ended: these octets are for the line reader');
    const text = new Text(chunk);
    if (this.#after === 'CRLF . CR' && chunk.length > 0 && chunk[0] !== lineFeed)
      text.chunks.push(withheldCr);
    for (let index = 0; index < chunk.length; index += 1) {
      if (this.#after === 'text') index = skipText(chunk, index);
      this.#after = afterNext(this.#after, chunk[index]);
      if (this.#after === 'end') return { chunks: text.joined(), rest: chunk.subarray(index + 1) };
      if (this.#after === 'CRLF .') text.leaveOut(index);
    }
    // Whether this CR is text or belongs to the end shows only by the octet after it.
    text.addUpTo(this.#after === 'CRLF . CR' ? chunk.length - 1 : chunk.length);
    return { chunks: text.joined() };
  }
}

/** The pieces of a chunk that are text. */
class Text {
  readonly chunks: Uint8Array[] = [];
  readonly #source: Uint8Array;
  #start = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  /** As one: whoever takes the text has work with each piece, and a client can make one of every few octets. */
  joined(): readonly Uint8Array[] {
    return this.chunks.length > 1 ? [Buffer.concat(this.chunks)] : this.chunks;
  }

  leaveOut(index: number): void {
    this.addUpTo(index);
    this.#start = index + 1;
  }

  addUpTo(index: number): void {
    if (index > this.#start) this.chunks.push(this.#source.subarray(this.#start, index));
  }
}

/** What stands right before the next octet, as far as it matters. */
type After = 'text' | 'CR' | 'CRLF' | 'CRLF .' | 'CRLF . CR' | 'end';

const withheldCr = Uint8Array.of(carriageReturn);
const dotAtLineStart = Buffer.from('\r\n.');

/** Where to look at single octets again: at the next CRLF before a dot, or at what may be one in the next chunk. */
function skipText(chunk: Uint8Array, index: number): number {
  const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const found = octets.indexOf(dotAtLineStart, index);
  return found === -1 ? Math.max(index, chunk.length - 2) : found;
}

function afterNext(after: After, octet: number | undefined): After {
  if (octet === lineFeed) {
    if (after === 'CRLF . CR') return 'end';
    return after === 'CR' ? 'CRLF' : 'text';
  }
  if (octet === carriageReturn) return after === 'CRLF .' ? 'CRLF . CR' : 'CR';
  return octet === dot && after === 'CRLF' ? 'CRLF .' : 'text';
}
