import { canonicalOf, sha256 } from './canonical.ts';
import { largeBuffers, type OpenFile, takeRoom } from './commit/index.ts';
import type { Rows } from './rows.ts';
import { type FoundMessage, scanMailbox } from './scanner.ts';

export interface Check {
  /** Open, locked against writers. */
  readonly file: OpenFile;
  readonly rows: Rows;
  readonly mailboxOctets: number;
  readonly contentLength: boolean;
}

/**
 * Says whether these rows are true: a message of the same digest, From_ line included, where each is said to be, and then
 * another From_ line or the mailbox's end. Reads those messages, and what lies between where that is little.
 */
export async function areAsIndexed(indexes: ReadonlySet<number>, check: Check): Promise<boolean> {
  for (const run of runsOf(indexes, check.rows)) {
    const [first = 0] = run;
    const isLarge = octetsOf(run, check.rows) > largeBuffers.octets;
    if (!(await (isLarge ? isScannedAsIndexed(first, check) : isRunAsIndexed(run, check)))) return false;
  }
  return true;
}

/** Rows that are read together, ascending. One that is too large for that is alone. */
type Run = readonly number[];

/** Reading this much costs less than beginning anew behind it. */
const maxGapOctets = 128 * 1024;

function runsOf(indexes: ReadonlySet<number>, rows: Rows): Run[] {
  const runs: number[][] = [];
  let run: number[] = [];
  for (const index of [...indexes].toSorted((one, other) => one - other)) {
    const isNear = rows.offsetOf(index) - rows.endOf(run.at(-1) ?? index) <= maxGapOctets;
    const isNext =
      run.length > 0 && isNear && octetsOf([run[0] ?? index, index], rows) <= largeBuffers.octets;
    if (!isNext) runs.push((run = []));
    run.push(index);
  }
  return runs;
}

const octetsOf = (run: Run, rows: Rows): number => rows.endOf(run.at(-1) ?? 0) - rows.offsetOf(run[0] ?? 0);

/** The same octets are the same message, wherever they say it ends: its lines need not be looked for again. */
async function isRunAsIndexed(run: Run, check: Check): Promise<boolean> {
  const { file, rows } = check;
  const start = rows.offsetOf(run[0] ?? 0);
  const room = takeRoom(octetsOf(run, rows));
  try {
    if ((await file.read(room.octets, start)) < room.octets.length) return false;
    for (const index of run) {
      const stored = room.octets.subarray(rows.offsetOf(index) - start, rows.endOf(index) - start);
      if (!isRow(rows, index, stored)) return false;
      const next = room.octets.subarray(rows.endOf(index) - start);
      if (next.length < fromLine.length) {
        if (!(await isFollowedRight(rows.endOf(index), check))) return false;
      } else if (!next.subarray(0, fromLine.length).equals(fromLine)) return false;
    }
    return true;
  } finally {
    room.giveBack();
  }
}

const fromLine = Buffer.from('From ');

function isRow(rows: Rows, index: number, stored: Buffer): boolean {
  const contentStart = rows.envelopeOctetsOf(index);
  const contentEnd = contentStart + rows.contentOctetsOf(index);
  const separator = stored.toString('latin1', contentEnd);
  const canonical = canonicalOf(stored.subarray(0, contentStart), stored.subarray(contentStart, contentEnd));
  return /^(?:\r?\n)?$/.test(separator) && rows.sameDigest(index, sha256(canonical));
}

/** For a message that does not fit into memory. */
async function isScannedAsIndexed(index: number, check: Check): Promise<boolean> {
  const { file, rows, contentLength } = check;
  const [from, to] = [rows.offsetOf(index), rows.endOf(index)];
  const found: FoundMessage[] = [];
  const { end } = await scanMailbox({ file, from, to, startsMailbox: true, contentLength }, (message) => {
    found.push(message);
  });
  const [message] = found;
  if (message === undefined || found.length > 1 || end !== to) return false;
  return isSameRow(rows, index, message) && (await isFollowedRight(to, check));
}

const isSameRow = (rows: Rows, index: number, message: FoundMessage): boolean =>
  message.envelopeOctets === rows.envelopeOctetsOf(index) &&
  message.contentOctets === rows.contentOctetsOf(index) &&
  message.separatorOctets === rows.separatorOctetsOf(index) &&
  rows.sameDigest(index, sha256(message.canonical));

async function isFollowedRight(position: number, { file, rows, mailboxOctets }: Check): Promise<boolean> {
  if (position === mailboxOctets) return true;
  // Behind the last row there may be mail that was left for the next scan.
  if (position === rows.endOf(rows.count - 1)) return true;
  const ahead = Buffer.alloc(fromLine.length);
  return (await file.read(ahead, position)) === ahead.length && ahead.equals(fromLine);
}
