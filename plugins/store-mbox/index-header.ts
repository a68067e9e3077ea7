import { sha256 } from './canonical.ts';
import type { FileStat } from './commit/index.ts';
import { rowOctets } from './rows.ts';

/** The facts by which a mailbox is known again without opening it. */
export type MailboxStamp = Pick<FileStat, 'dev' | 'ino' | 'octets' | 'mtimeNs' | 'ctimeNs'> & {
  /** Device numbers may change from one start of the machine to the next. */
  readonly bootId: string;
};

/** What is known of a mailbox without its rows; with it a login on an unchanged one is done. */
export interface IndexHeader {
  readonly stamp: MailboxStamp;
  readonly count: number;
  readonly totalOctets: number;
  /** How far the mailbox has been scanned. Less than its size if the rest was still being written. */
  readonly scannedOctets: number;
  /** SHA-256 of the last octets before `scannedOctets`, `tailOctetsOf(scannedOctets)` of them. */
  readonly tailDigest: Uint8Array;
  /** The scan believed `Content-Length:`. */
  readonly contentLength: boolean;
}

/** How much of the mailbox's end shows that only mail was added since. */
export const tailOctetsOf = (scannedOctets: number): number => Math.min(scannedOctets, 4096);

export const headerOctets = 4096;

/** Rows under one digest in the header: a power of 2 so that 96 digests are enough. */
export function rowsPerBlockOf(count: number): number {
  let rows = 16_384;
  while (count > rows * maxBlockCount) rows *= 2;
  return rows;
}

export const blockCountOf = (count: number): number => Math.ceil(count / rowsPerBlockOf(count));

export function encodeHeader(header: IndexHeader, blockDigests: readonly Uint8Array[]): Buffer {
  const octets = Buffer.alloc(headerOctets);
  const { stamp } = header;
  octets.write(magic, 0, 'latin1');
  octets.write(stamp.bootId.slice(0, bootIdOctets), 32, 'latin1');
  octets.writeBigUInt64LE(BigInt.asUintN(64, stamp.dev), 96);
  octets.writeBigUInt64LE(BigInt.asUintN(64, stamp.ino), 104);
  octets.writeBigInt64LE(stamp.mtimeNs, 112);
  octets.writeBigInt64LE(stamp.ctimeNs, 120);
  octets.writeDoubleLE(stamp.octets, 128);
  octets.writeDoubleLE(header.count, 136);
  octets.writeDoubleLE(header.totalOctets, 144);
  octets.writeDoubleLE(header.scannedOctets, 152);
  octets.writeUInt32LE(header.contentLength ? 1 : 0, 160);
  octets.set(header.tailDigest, 192);
  for (const [index, digest] of blockDigests.entries()) octets.set(digest, blocksAt + index * 32);
  octets.set(sha256(octets.subarray(0, ownDigestAt)), ownDigestAt);
  return octets;
}

/** What a header says; undefined if it is damaged, of another version, or cannot be true. */
export function decodeHeader(octets: Buffer): IndexHeader | undefined {
  if (octets.length < headerOctets || octets.toString('latin1', 0, magic.length) !== magic) return undefined;
  const digest = octets.subarray(ownDigestAt, headerOctets);
  if (sha256(octets.subarray(0, ownDigestAt)).compare(digest) !== 0) return undefined;
  const header: IndexHeader = {
    stamp: {
      bootId: octets.toString('latin1', 32, 32 + bootIdOctets).replace(/\0+$/, ''),
      dev: octets.readBigUInt64LE(96),
      ino: octets.readBigUInt64LE(104),
      mtimeNs: octets.readBigInt64LE(112),
      ctimeNs: octets.readBigInt64LE(120),
      octets: octets.readDoubleLE(128),
    },
    count: octets.readDoubleLE(136),
    totalOctets: octets.readDoubleLE(144),
    scannedOctets: octets.readDoubleLE(152),
    tailDigest: Buffer.from(octets.subarray(192, 224)),
    contentLength: octets.readUInt32LE(160) === 1,
  };
  return isPossible(header) ? header : undefined;
}

export const blockDigestOf = (header: Buffer, block: number): Buffer =>
  header.subarray(blocksAt + block * 32, blocksAt + block * 32 + 32);

/** Whether the mailbox is still what it was: within one start of the machine also on the same device. */
export function isSameMailbox(stamp: MailboxStamp, now: MailboxStamp): boolean {
  return (
    stamp.octets === now.octets &&
    stamp.mtimeNs === now.mtimeNs &&
    stamp.ctimeNs === now.ctimeNs &&
    isSameFile(stamp, now)
  );
}

export function isSameFile(stamp: MailboxStamp, now: MailboxStamp): boolean {
  return stamp.ino === now.ino && (stamp.bootId !== now.bootId || stamp.dev === now.dev);
}

const magic = 'popper mbox index 1\n';
const bootIdOctets = 64;
const blocksAt = 512;
const maxBlockCount = 96;
const ownDigestAt = headerOctets - 32;
/** `From `: no message is shorter. */
const minMessageOctets = 5;

function isPossible({ stamp, count, totalOctets, scannedOctets }: IndexHeader): boolean {
  const numbers = [stamp.octets, count, totalOctets, scannedOctets];
  if (!numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) return false;
  if (scannedOctets > stamp.octets || count * rowOctets > Number.MAX_SAFE_INTEGER) return false;
  return count * minMessageOctets <= scannedOctets && totalOctets <= scannedOctets * 2 + count * 2;
}
