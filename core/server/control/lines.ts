import { maxLineOctets } from './messages.ts';

/** A line that has more octets than a line may have. */
export class LineTooLong extends Error {
  constructor() {
    super(`a line has ${maxLineOctets} octets at most`);
  }
}

/**
 * Lines that end in LF, out of chunks as they come. Holds no more than one line and one chunk; what comes after the last
 * LF is dropped. Throws a LineTooLong.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      if (octets + end - start > maxLineOctets) throw new LineTooLong();
      yield Buffer.concat([...pieces, chunk.subarray(start, end)]);
      [pieces, octets, start] = [[], 0, end + 1];
    }
    octets += chunk.length - start;
    if (octets > maxLineOctets) throw new LineTooLong();
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
}

const lineFeed = 0x0a;
