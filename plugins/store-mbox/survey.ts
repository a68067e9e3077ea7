import { Failure } from 'popperd';

import { sha256 } from './canonical.ts';
import type { FileStat, OpenFile } from './commit/index.ts';
import { isEnvelope, lookaheadOctets } from './envelope.ts';
import type { ReadOctets } from './file-window.ts';
import {
  type IndexHeader,
  isSameFile,
  isSameMailbox,
  type MailboxStamp,
  tailOctetsOf,
} from './index-header.ts';
import { Rows, RowsBuilder } from './rows.ts';
import { scanMailbox, type ScanResult } from './scanner.ts';
import { UidAssigner } from './uids.ts';

/** What was found in a mailbox, or will be left in it. */
export interface SurveyedIndex {
  readonly header: IndexHeader;
  readonly rows: Rows;
}

export interface Survey extends SurveyedIndex {
  /** How many of the former index's rows stand unchanged at the start of these; the rest is new. */
  readonly keptCount: number;
  /** Octets that belong to no message, for the log. */
  readonly strayOctets: number;
  /** What had to be read. */
  readonly scannedNowOctets: number;
  /** Nothing has touched the mailbox since the survey began. */
  readonly isUndisturbed: boolean;
}

export interface SurveyRequest {
  readonly path: string;
  /** Open, locked against writers. */
  readonly file: OpenFile;
  /** Its facts since it is locked. */
  readonly stat: FileStat;
  readonly bootId: string;
  readonly contentLength: boolean;
  /** What was known: its messages keep their uids, and where only mail was added only that is scanned. */
  readonly former: SurveyedIndex | undefined;
  /** What a deletion that was under way may have left instead; it tells equal messages apart. */
  readonly successor: Rows | undefined;
  /** Scan all of it, whatever was known. */
  readonly everything?: boolean;
  /** Somebody holds the dotlock. */
  readonly isBeingWritten: boolean;
  /** Gets what was read; the last call counts, where parts are read more than once. */
  readonly keep?: (read: ReadOctets) => void;
}

/**
 * Finds out what is in a mailbox. Throws a Failure (SYS/PERM) if it is no mbox, or SYS/TEMP if it changed meanwhile
 * in spite of the lock.
 */
export async function survey(request: SurveyRequest): Promise<Survey> {
  const { path, file, stat, former, bootId } = request;
  const isFresh = former === undefined || request.everything === true;
  const stillTrue = isFresh ? 0 : await stillTrueCount(request, former, stat);
  const found = await completed(request, await scan(request, stillTrue, stat.octets));
  const after = await file.stat();
  if (after.octets < stat.octets) {
    throw new Failure('the maildrop is being changed, try again', {
      code: 'SYS/TEMP',
      cause: new Error(`${path}: became shorter while it was read under a lock`),
    });
  }
  if (found.rows.count === 0 && found.strayOctets > 0) {
    throw new Failure('the maildrop cannot be read', {
      code: 'SYS/PERM',
      cause: new Error(`${path}: not an mbox, for no line in it is a message's From_ line: move it away`),
    });
  }
  return {
    header: await headerOf(request, stat, found),
    rows: found.rows,
    keptCount: found.keptCount,
    strayOctets: found.strayOctets,
    scannedNowOctets: stat.octets - found.from,
    isUndisturbed: isSameMailbox(stampOf(stat, bootId), stampOf(after, bootId)),
  };
}

export const stampOf = (stat: FileStat, bootId: string): MailboxStamp => ({
  dev: stat.dev,
  ino: stat.ino,
  octets: stat.octets,
  mtimeNs: stat.mtimeNs,
  ctimeNs: stat.ctimeNs,
  bootId,
});

/** SHA-256 of the mailbox's end, to see later whether it is still there. */
export async function tailDigestOf(file: OpenFile, scannedOctets: number): Promise<Buffer> {
  const tail = Buffer.alloc(tailOctetsOf(scannedOctets));
  const octets = await file.read(tail, scannedOctets - tail.length);
  return sha256(tail.subarray(0, octets));
}

/**
 * How many of the former rows need no new scan. All of them if mail was added behind the last; all but the last if
 * something else was; none if the mailbox is not what it was.
 */
async function stillTrueCount(
  request: SurveyRequest,
  former: SurveyedIndex,
  stat: FileStat,
): Promise<number> {
  const { file, contentLength } = request;
  const { header, rows } = former;
  if (rows.count === 0 || !mayBeExtended(header, stat, request)) return 0;
  const tail = await tailDigestOf(file, header.scannedOctets);
  if (tail.compare(header.tailDigest) !== 0) return 0;
  if (stat.octets === header.scannedOctets) return rows.count;
  // What a `Content-Length:` may be believed about depends on what has come since.
  if (contentLength) return rows.count - 1;
  const added = { from: header.scannedOctets, to: stat.octets };
  return (await beginsMessage(file, rows, added)) ? rows.count : rows.count - 1;
}

function mayBeExtended(header: IndexHeader, stat: FileStat, request: SurveyRequest): boolean {
  const stamp = stampOf(stat, request.bootId);
  const isGrown = stat.octets > header.stamp.octets && isSameFile(header.stamp, stamp);
  return header.contentLength === request.contentLength && (isGrown || isSameMailbox(header.stamp, stamp));
}

/** Whether the last message is complete and what was added begins another. */
async function beginsMessage(
  file: OpenFile,
  rows: Rows,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const ahead = Buffer.alloc(Math.min(lookaheadOctets, to - from) + 1);
  const text = ahead.toString('latin1', 0, await file.read(ahead, from - 1));
  if (!text.startsWith('\nFrom ')) return false;
  const [, line = '', next = ''] = text.split('\n', 3);
  const context = rows.separatorOctetsOf(rows.count - 1) > 0 ? 'blank line' : 'text';
  return isEnvelope(line.trimEnd(), context, next);
}

type Found = ScanResult & {
  readonly keptCount: number;
  readonly from: number;
  /** Where the last of the rows ends, or the next scan has to begin. */
  readonly scannedOctets: number;
  readonly rows: Rows;
  readonly totalOctets: number;
};

async function scan(request: SurveyRequest, keptCount: number, to: number): Promise<Found> {
  const former = request.former?.rows ?? Rows.none;
  const found = await scanFrom(request, former, { keptCount, to });
  // A From_ line at the old end may have gone on, and be one no more: then the message before it goes on, too.
  if (!isSeamless(found)) return scan(request, 0, to);
  const { successor } = request;
  // Where all former messages are there, the deletion was not made. Without an index (a process that died in a
  // mailbox's first session wrote none) only the successor can tell.
  if (successor === undefined || (former.count > 0 && found.rows.beginWith(former))) return found;
  const after = await scanFrom(request, successor, { keptCount: 0, to });
  return after.rows.beginWith(successor) ? after : found;
}

function isSeamless({ rows, keptCount, from, end }: Found): boolean {
  if (keptCount === 0) return true;
  return (rows.count === keptCount ? end : rows.offsetOf(keptCount)) === from;
}

async function scanFrom(
  request: SurveyRequest,
  known: Rows,
  { keptCount, to }: { readonly keptCount: number; readonly to: number },
): Promise<Found> {
  const kept = known.first(keptCount);
  const from = keptCount === 0 ? 0 : kept.endOf(keptCount - 1);
  const keptOctets = keptCount === 0 ? 0 : totalOctetsOf(request, kept);
  const builder = new RowsBuilder(kept, keptOctets);
  const uids = new UidAssigner(known, keptCount, builder);
  const { file, contentLength, keep } = request;
  const before = Buffer.alloc(Math.min(from, 7));
  await file.read(before, from - before.length);
  const range = { file, from, to, startsMailbox: from === 0, before, contentLength, ...(keep && { keep }) };
  const result = await scanMailbox(range, (message) => {
    if (message.isFolderInternalData) return;
    const digest = sha256(message.canonical);
    builder.add({ ...message, digest, uid: uids.assign(digest, message.canonical) });
  });
  const { totalOctets } = builder;
  return { ...result, keptCount, from, scannedOctets: result.end, rows: builder.build(), totalOctets };
}

/**
 * Leaves the last message to the next scan while another program is writing it: its last line has no end, and the
 * program has the dotlock. Without a lock nothing tells it from a message that lacks the end for good, so it is shown,
 * and not removed if it turns out to go on.
 */
async function completed(request: SurveyRequest, found: Found): Promise<Found> {
  const { rows, keptCount } = found;
  if (!request.isBeingWritten || rows.count <= keptCount) return found;
  const last = Buffer.alloc(1);
  await request.file.read(last, found.end - 1);
  if (last[0] === lineFeed) return found;
  return {
    ...found,
    rows: rows.first(rows.count - 1),
    totalOctets: found.totalOctets - rows.octetsOf(rows.count - 1),
    scannedOctets: rows.offsetOf(rows.count - 1),
  };
}

const lineFeed = 0x0a;

function totalOctetsOf({ former }: SurveyRequest, kept: Rows): number {
  let totalOctets = former?.header.totalOctets ?? 0;
  const count = former?.rows.count ?? 0;
  for (let index = kept.count; index < count; index += 1) totalOctets -= former?.rows.octetsOf(index) ?? 0;
  return totalOctets;
}

async function headerOf(
  { file, bootId, contentLength }: SurveyRequest,
  stat: FileStat,
  { rows, totalOctets, scannedOctets }: Found,
): Promise<IndexHeader> {
  return {
    stamp: stampOf(stat, bootId),
    count: rows.count,
    totalOctets,
    scannedOctets,
    tailDigest: await tailDigestOf(file, scannedOctets),
    contentLength,
  };
}
