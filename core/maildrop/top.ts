import { carriageReturn, lineFeed } from '../protocol/kernel-interface.ts';
import { kernel } from '../protocol/kernel.ts';

/**
 * The top of a stored message: its header, the empty line after it, and that many lines of the body (RFC 1939 section
 * 7), with the line ends it has; no line is made up. A message without an empty line is all header. Reads no further
 * than it has to, and closes the source.
 */
export async function* topOf(message: AsyncIterable<Uint8Array>, lines: number): AsyncGenerator<Uint8Array> {
  const header = new HeaderEnd();
  let inHeader = true;
  let linesLeft = lines;
  for await (const chunk of message) {
    let bodyIndex = 0;
    if (inHeader) {
      const found = header.find(chunk);
      if (found === undefined) {
        yield chunk;
        continue;
      }
      inHeader = false;
      bodyIndex = found;
    }
    const taken = takeLines(chunk, bodyIndex, linesLeft);
    linesLeft -= taken.lines;
    yield chunk.subarray(0, taken.end);
    if (linesLeft === 0) return;
  }
}

/** Looks for the empty line that ends a header, over any chunking. */
class HeaderEnd {
  /** What the line at the chunk border has so far. */
  #line: 'nothing' | 'CR' | 'text' = 'nothing';

  /** The index after the empty line, or undefined if it is not in this chunk. */
  find(chunk: Uint8Array): number | undefined {
    let lineStart = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, lineStart)) {
      this.#add(chunk.subarray(lineStart, end));
      if (this.#line !== 'text') return end + 1;
      this.#line = 'nothing';
      lineStart = end + 1;
    }
    this.#add(chunk.subarray(lineStart));
    return undefined;
  }

  #add(octets: Uint8Array): void {
    if (octets.length === 0) return;
    const onlyCr = octets.length === 1 && octets[0] === carriageReturn && this.#line === 'nothing';
    this.#line = onlyCr ? 'CR' : 'text';
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
