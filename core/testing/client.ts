/** One segment that a client sends: a string is a line and gets its CRLF, octets go as they are. */
export type Segment = string | Uint8Array;

/**
 * What a client does, segment by segment; it sends the next one when everything before it has been answered. When there
 * is no more, it has left. An async one can wait for anything in between.
 */
export type Client = Iterable<Segment> | AsyncIterable<Segment>;

/** Several lines in one segment, as a client that pipelines sends them (RFC 2449 section 6.6). */
export const pipelined = (...lines: readonly string[]): Uint8Array =>
  latin1(lines.map((line) => `${line}\r\n`).join(''));

/** The octets of a text, one for each character; throws a RangeError for a character that is none of Latin-1. */
export function latin1(text: string): Buffer {
  // oxlint-disable-next-line no-control-regex -- the range of one octet begins at NUL
  if (!/^[\0-\xff]*$/.test(text)) {
    throw new RangeError('a string stands for octets here, one a character: give other text as octets');
  }
  return Buffer.from(text, 'latin1');
}

export const octetsOfSegment = (segment: Segment): Uint8Array =>
  typeof segment === 'string' ? latin1(`${segment}\r\n`) : segment;
