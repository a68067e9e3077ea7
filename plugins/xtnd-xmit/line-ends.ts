export type LineEnd = '\n' | '\r\n';

/**
 * Makes every line end the same, over any chunking: CRLF, a bare LF and a bare CR all end a line. Left as they are, the last two
 * could end a message early for a server further on, and what follows would be another message of the client's making.
 *
 * Text has one character for each octet.
 */
export class LineEnds {
  readonly #lineEnd: LineEnd;
  #endsInCr = false;

  constructor(lineEnd: LineEnd) {
    this.#lineEnd = lineEnd;
  }

  add(chunk: Uint8Array): string {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const text = this.#endsInCr ? `\r${octets}` : octets;
    // Whether a LF belongs to it shows only by the octet after it.
    this.#endsInCr = text.endsWith('\r');
    return this.#same(this.#endsInCr ? text.slice(0, -1) : text);
  }

  /** What was held back. */
  end(): string {
    return this.#endsInCr ? this.#lineEnd : '';
  }

  #same(text: string): string {
    return text.replaceAll(/\r\n|\r|\n/g, this.#lineEnd);
  }
}
