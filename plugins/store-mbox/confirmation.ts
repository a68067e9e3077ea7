import { sha256 } from './canonical.ts';
import type { OpenFile } from './commit/index.ts';
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
 * Says whether these rows are true: a From_ line where each message begins, a message of the same digest behind it, and
 * then another From_ line or the mailbox's end. Reads those messages, and what lies between where that is little.
 */
export async function areAsIndexed(indexes: ReadonlySet<number>, check: Check): Promise<boolean> {
  for (const run of runsOf(indexes, check.rows)) {
    if (!(await isRunAsIndexed(run, check))) return false;
  }
  return true;
}

/** Rows from `first` to `last`. */
interface Run {
  readonly first: number;
  readonly last: number;
}

/** Reading this much costs less than beginning anew behind it. */
const maxGapOctets = 128 * 1024;

function runsOf(indexes: ReadonlySet<number>, rows: Rows): Run[] {
  const runs: { first: number; last: number }[] = [];
  for (const index of [...indexes].toSorted((one, other) => one - other)) {
    const run = runs.at(-1);
    if (run !== undefined && rows.offsetOf(index) - rows.endOf(run.last) <= maxGapOctets) run.last = index;
    else runs.push({ first: index, last: index });
  }
  return runs;
}

async function isRunAsIndexed({ first, last }: Run, check: Check): Promise<boolean> {
  const { file, rows, contentLength } = check;
  const [from, to] = [rows.offsetOf(first), rows.endOf(last)];
  let index = first;
  let isSame = true;
  const scan = { file, from, to, startsMailbox: true, contentLength };
  const { end } = await scanMailbox(scan, (message) => {
    isSame &&= index <= last && isRow(rows, index, message);
    index += 1;
  });
  return isSame && end === to && index === last + 1 && (await isFollowedRight(to, check));
}

const isRow = (rows: Rows, index: number, message: FoundMessage): boolean =>
  message.offset === rows.offsetOf(index) &&
  message.envelopeOctets === rows.envelopeOctetsOf(index) &&
  message.contentOctets === rows.contentOctetsOf(index) &&
  message.separatorOctets === rows.separatorOctetsOf(index) &&
  rows.sameDigest(index, sha256(message.canonical));

async function isFollowedRight(position: number, { file, rows, mailboxOctets }: Check): Promise<boolean> {
  if (position === mailboxOctets) return true;
  // Behind the last row there may be mail that was left for the next scan.
  if (position === rows.endOf(rows.count - 1)) return true;
  const ahead = Buffer.alloc(5);
  return (await file.read(ahead, position)) === 5 && ahead.toString('latin1') === 'From ';
}
