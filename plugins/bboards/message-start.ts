/** Octets from a line's beginning that `messageStart` has to see. */
export const lookaheadOctets = 1300;
/** A From_ line is shorter, its end included; a longer one is text. */
const maxEnvelopeOctets = 1000;

/** What a From_ line and the line after it say. */
export interface MessageStart {
  /** With the line's end. */
  readonly envelopeOctets: number;
  /** Whether the line ends in LF alone. */
  readonly endsBare: boolean;
  /** The number in `BBoard-ID:`, where that is the first line of the header: further down a poster may have put it. */
  readonly number: number | undefined;
}

/**
 * Reads the beginning of a line that begins with `From `; undefined where it begins no message. The first line of a file does so
 * whatever it says; another one has to end in a date as asctime(3) writes it.
 */
export function messageStart(octets: Uint8Array, isFirst: boolean): MessageStart | undefined {
  const feed = octets.indexOf(lineFeed);
  const envelopeOctets = feed === -1 ? octets.length : feed + 1;
  if (envelopeOctets > maxEnvelopeOctets) return undefined;
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
  if (!isFirst && !envelope.test(text.slice(0, envelopeOctets).trimEnd())) return undefined;
  return {
    envelopeOctets,
    endsBare: feed !== -1 && octets[feed - 1] !== carriageReturn,
    number: numberIn(text.slice(envelopeOctets)),
  };
}

function numberIn(text: string): number | undefined {
  const digits = /^bboard-id:[ \t]*(\d{1,9})[ \t]*\r?\n/i.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const envelope = new RegExp(
  [
    String.raw` (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?`,
    String.raw` +(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`,
    String.raw` +\d{1,2} +\d{1,2}:\d\d(?::\d\d)?`,
    String.raw`(?: +[A-Z]{1,5}| +[+-]\d{4})? +\d{4}`,
    String.raw`(?: +[A-Z]{1,5}| +[+-]\d{4})?(?: +remote from \S+)?$`,
  ].join(''),
);
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
