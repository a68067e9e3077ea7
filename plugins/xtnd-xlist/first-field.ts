/**
 * The first field of a message's header whose line begins with this text, in any case: its line with the name, and the lines
 * that it goes on in, as they are stored, one character for each octet. Empty where there is none.
 *
 * Reads no further than the field or the header goes, and closes the source. What a field has over `maxFieldOctets`, and
 * what stands further in a header than `maxHeaderOctets`, is left out.
 */
export async function firstField(
  message: AsyncIterable<Uint8Array>,
  beginning: string,
): Promise<readonly string[]> {
  const search = new FieldSearch(beginning);
  for await (const chunk of message) if (search.add(chunk)) break;
  return search.end();
}

/** Memory for each session that asks, whatever a message holds. */
export const maxFieldOctets = 64 * 1024;
/** A message may be all header, and as long as any. */
export const maxHeaderOctets = 4 * 1024 * 1024;

/** Looks for a field in a header that comes in chunks of any size. */
class FieldSearch {
  readonly #beginning: string;
  readonly #found: string[] = [];
  /** The line that is being read, as far as there is room for it. */
  #line = '';
  #headerOctets = 0;
  #fieldOctets = 0;
  #isOver = false;

  constructor(beginning: string) {
    this.#beginning = beginning.toLowerCase();
  }

  /** Answers true when nothing more is wanted. */
  add(chunk: Uint8Array): boolean {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let start = 0; start < octets.length && !this.#isOver;) {
      const lineEnd = octets.indexOf(lineFeed, start);
      this.#addToLine(octets.subarray(start, lineEnd === -1 ? octets.length : lineEnd));
      if (lineEnd === -1) break;
      this.#endLine();
      start = lineEnd + 1;
    }
    return this.#isOver;
  }

  end(): readonly string[] {
    if (!this.#isOver) this.#endLine();
    return this.#found;
  }

  #addToLine(octets: Buffer): void {
    const room = maxFieldOctets - this.#fieldOctets - this.#line.length;
    this.#line += octets.toString('latin1', 0, Math.min(room, octets.length));
    this.#headerOctets += octets.length + 1;
    if (this.#headerOctets > maxHeaderOctets) this.#endLine('header');
  }

  #endLine(ends: 'line' | 'header' = 'line'): void {
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    if (line === '' || ends === 'header') this.#isOver = true;
    if (line !== '') this.#take(line);
  }

  #take(line: string): void {
    const goesOn = line.startsWith(' ') || line.startsWith('\t');
    const isFound = this.#found.length > 0;
    if (isFound && !goesOn) this.#isOver = true;
    else if (isFound || (!goesOn && this.#isWanted(line))) this.#keep(line);
  }

  #isWanted(line: string): boolean {
    return line.slice(0, this.#beginning.length).toLowerCase() === this.#beginning;
  }

  #keep(line: string): void {
    this.#found.push(line);
    this.#fieldOctets += line.length;
    if (this.#fieldOctets >= maxFieldOctets) this.#isOver = true;
  }
}

const lineFeed = 0x0a;
