/**
 * The loops that touch every octet of every message. Octets go in and out by synchronous calls and nothing is kept
 * between them: whoever calls carries `previousOctet`, the octet before the first one given, so that a CRLF or a line
 * start split over two chunks is seen. Before the first octet of a message that is `lineFeed`, for a line starts there.
 */
export interface Kernel {
  readonly name: 'simd' | 'plain';

  /**
   * Memory that `encodeInto` fills without a copy, of the same length for each call; undefined where there is no more. It
   * is made once and never freed, so whoever gets it keeps it.
   */
  newSlab(octets: number): Buffer | undefined;

  countLineFeeds(source: Uint8Array): number;

  /** Line feeds with no carriage return before them: each becomes two octets on the wire. */
  countBareLineFeeds(source: Uint8Array, previousOctet: number): number;

  /**
   * Writes source octets to `target` from `at` on as they go over the wire: a bare LF becomes CRLF, a dot at a line
   * start gets another (RFC 1939 section 3). Stops when all is read, or when `target` has under `minRoomOctets` left
   * and not room for the rest at its worst.
   */
  encodeInto(source: Uint8Array, target: Uint8Array, previousOctet: number, at?: number): Encoded;

  /**
   * Calls `onHit` for each line that begins with the prefix and has all of it in `source`, in order, with its index and
   * the number of bare line feeds before it in `source`. Returns the bare line feeds of the whole source. A prefix has
   * 1 to `maxPrefixOctets` octets, none of them CR or LF.
   */
  scanLineStarts(source: Uint8Array, previousOctet: number, prefix: Uint8Array, onHit: OnHit): number;
}

export type OnHit = (index: number, bareLineFeedsBefore: number) => void;

/** How far one call of `encodeInto` came. */
export interface Encoded {
  readonly readOctets: number;
  readonly writtenOctets: number;
  /** Bare line feeds among the octets read: what the text grew by, byte-stuffing not counted. */
  readonly bareLineFeeds: number;
}

/** With this much room, `encodeInto` always gets on. */
export const minRoomOctets = 1024;
export const maxPrefixOctets = 5;

export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const dot = 0x2e;

/**
 * How many of `leftOctets` can be encoded into `roomOctets` whatever they are, for every octet may become two; 0 where
 * it is so few that the caller does better to send what it has.
 */
export function encodableOctets(leftOctets: number, roomOctets: number): number {
  const octets = Math.min(leftOctets, roomOctets >> 1);
  return octets < leftOctets && roomOctets < minRoomOctets ? 0 : octets;
}
