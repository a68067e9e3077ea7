import { digestOf, FieldReader, FieldWriter } from './fields.ts';

/**
 * A journal is `header | slot 0 | slot 1`. The header is one block of fixed fields, then its body (the mailbox path
 * and the kept extents, as long as they need) padded to whole blocks. A slot is one block that describes a record,
 * then the record's image. Each part carries a digest, so a torn write is known as one.
 */
export interface Header {
  readonly kind: JournalKind;
  /** Nothing is left to do. */
  readonly done: boolean;
  /** The file belongs to the reserve and goes back there. */
  readonly borrowed: boolean;
  readonly blockOctets: number;
  /** Room for an image in each slot. */
  readonly chunkOctets: number;
  /** 16 random octets that tie records to their header. */
  readonly transaction: Uint8Array;
  /** 16 octets that differ after each start of the machine; zeros if unknown. */
  readonly boot: Uint8Array;
  readonly dev: bigint;
  readonly ino: bigint;
  /** Size of the mailbox when the journal was begun. */
  readonly mailboxOctets: number;
  /** Where the mailbox begins to change. */
  readonly changeStart: number;
  readonly mailboxPath: string;
  /** Start, end, start, end, ... of what is kept above `changeStart`; empty but for deletions. */
  readonly kept: Float64Array;
}

/** In the order of their numbers in a file. */
const kinds = ['deletions', 'append', 'rewrite'] as const;

export type JournalKind = (typeof kinds)[number];

/** The description of one step. The record with the highest index is the one to redo. */
export interface JournalRecord {
  readonly index: number;
  /** Octets of the after-image that were durable in the mailbox before this record. */
  readonly doneOctets: number;
  /** Octets of this step. */
  readonly octets: number;
  /** Whether the slot holds the octets; otherwise their sources in the mailbox are still whole. */
  readonly hasImage: boolean;
  /** Size of the mailbox that this record was made for, late mail included. */
  readonly mailboxOctets: number;
  /** Size of the mailbox when all is done. */
  readonly finalOctets: number;
  /** Digest of what the last step cuts off; see `tailDigest`. */
  readonly tailDigest: Uint8Array;
}

/** No fixed part is longer than this, so a block is never smaller. */
export const smallestBlockOctets = 256;

/**
 * Limits of what recovery believes, and so of what may be written. Half a million kept extents have a body of some
 * 4 MiB.
 */
const largest = { bodyOctets: 64 * 1024 * 1024, blockOctets: 1024 * 1024, chunkOctets: 1024 * 1024 * 1024 };

const headerMagic = Buffer.from('popperJ1');
const recordMagic = Buffer.from('popperR1');

/** The header with its body, in whole blocks. */
export function encodeHeader(header: Header, body: Uint8Array): Buffer {
  const octets = header.blockOctets + roundUp(body.length, header.blockOctets);
  return new FieldWriter(octets).octets(encodeHeaderBlock(header, body)).octets(body).padded;
}

/** The header's first block alone, to change `done` in place. */
export function encodeHeaderBlock(header: Header, body: Uint8Array): Buffer {
  const writer = new FieldWriter(header.blockOctets)
    .octets(headerMagic)
    .octet(kinds.indexOf(header.kind))
    .octet(header.done ? 1 : 0)
    .octet(header.borrowed ? 1 : 0)
    .number(header.blockOctets)
    .number(header.chunkOctets)
    .octets(header.transaction)
    .octets(header.boot)
    .number(header.dev)
    .number(header.ino)
    .number(header.mailboxOctets)
    .number(header.changeStart)
    .number(body.length)
    .octets(digestOf(body));
  return writer.octets(digestOf(writer.written)).padded;
}

/** Path and extents, these as distances, so that a deleted message costs four octets or so. */
export function encodeBody({ mailboxPath, kept, changeStart }: Header): Buffer {
  const path = Buffer.from(mailboxPath);
  const writer = new FieldWriter(path.length + 16 + kept.length * 8);
  writer.short(path.length).octets(path).short(kept.length);
  let before = changeStart;
  for (const edge of kept) {
    writer.short(edge - before);
    before = edge;
  }
  return writer.written;
}

/** The fixed part of a header, before its body was read. */
export interface HeaderStart extends Omit<Header, 'mailboxPath' | 'kept'> {
  readonly bodyOctets: number;
  readonly bodyDigest: Uint8Array;
}

/** undefined if this is no header or a torn one. */
export function decodeHeaderStart(octets: Uint8Array): HeaderStart | undefined {
  return orUndefined(() => {
    const reader = new FieldReader(octets);
    if (!reader.octets(8).equals(headerMagic)) return undefined;
    const start = {
      kind: kinds[reader.octet()] ?? 'deletions',
      done: reader.octet() === 1,
      borrowed: reader.octet() === 1,
      blockOctets: reader.number(),
      chunkOctets: reader.number(),
      transaction: reader.octets(16),
      boot: reader.octets(16),
      dev: reader.bigNumber(),
      ino: reader.bigNumber(),
      mailboxOctets: reader.number(),
      changeStart: reader.number(),
      bodyOctets: reader.number(),
      bodyDigest: reader.octets(32),
    };
    const digest = digestOf(reader.taken);
    return reader.octets(32).equals(digest) && isPlausible(start) ? start : undefined;
  });
}

/** undefined if the body is not the one that the first block names. */
export function decodeHeader(start: HeaderStart, body: Uint8Array): Header | undefined {
  return orUndefined(() => {
    if (!digestOf(body).equals(start.bodyDigest)) return undefined;
    const reader = new FieldReader(body);
    const mailboxPath = reader.octets(reader.short()).toString();
    const count = reader.short();
    if (count > body.length || count % 2 !== 0) return undefined;
    const kept = new Float64Array(count);
    let before = start.changeStart;
    for (const index of kept.keys()) {
      before += reader.short();
      kept[index] = before;
    }
    return { ...start, mailboxPath, kept };
  });
}

/** A record's description, in one block. */
export function encodeRecord(record: JournalRecord, header: Header, image: Uint8Array): Buffer {
  const writer = new FieldWriter(header.blockOctets)
    .octets(recordMagic)
    .octets(header.transaction)
    .number(record.index)
    .number(record.doneOctets)
    .number(record.octets)
    .octet(record.hasImage ? 1 : 0)
    .number(record.mailboxOctets)
    .number(record.finalOctets)
    .octets(record.tailDigest)
    .octets(digestOf(record.hasImage ? image : new Uint8Array()));
  return writer.octets(digestOf(writer.written)).padded;
}

/** undefined if this is no record of this header's transaction, or a torn one. `imageDigest` is still to be compared. */
export function decodeRecord(
  octets: Uint8Array,
  header: Header,
): (JournalRecord & { readonly imageDigest: Buffer }) | undefined {
  return orUndefined(() => {
    const reader = new FieldReader(octets);
    if (!reader.octets(8).equals(recordMagic)) return undefined;
    if (!reader.octets(16).equals(header.transaction)) return undefined;
    const record = {
      index: reader.number(),
      doneOctets: reader.number(),
      octets: reader.number(),
      hasImage: reader.octet() === 1,
      mailboxOctets: reader.number(),
      finalOctets: reader.number(),
      tailDigest: reader.octets(32),
      imageDigest: reader.octets(32),
    };
    const digest = digestOf(reader.taken);
    return reader.octets(32).equals(digest) ? record : undefined;
  });
}

/** Up to a whole number of blocks. */
export function roundUp(octets: number, blockOctets: number): number {
  return Math.ceil(octets / blockOctets) * blockOctets;
}

/** The journal lies in the user's own folder: whoever can write it can write a digest, too. */
export function isPlausible(sizes: Pick<HeaderStart, 'bodyOctets' | 'blockOctets' | 'chunkOctets'>): boolean {
  const { bodyOctets, blockOctets, chunkOctets } = sizes;
  return (
    bodyOctets <= largest.bodyOctets &&
    blockOctets >= smallestBlockOctets &&
    blockOctets <= largest.blockOctets &&
    chunkOctets <= largest.chunkOctets
  );
}

function orUndefined<T>(decode: () => T | undefined): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
