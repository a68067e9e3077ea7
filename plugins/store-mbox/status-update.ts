import { type NewTail, type OpenFile, rewriteTail } from './commit/index.ts';
import { areAsIndexed } from './confirmation.ts';
import { currentIndex } from './current-index.ts';
import type { IndexHeader } from './index-header.ts';
import { lockMailbox } from './mailbox-lock.ts';
import type { Mailbox } from './mailbox.ts';
import { failingAs, recoverLocked } from './recovery.ts';
import { Rows, rowOctets } from './rows.ts';
import { isSameMail } from './same-mail.ts';
import { type FieldEdit, statusEdit } from './status-field.ts';
import { stampOf, type SurveyedIndex, tailDigestOf } from './survey.ts';
import { uidText } from './uids.ts';

/** What a session has seen: uids as text. */
interface Seen {
  readonly listed: ReadonlySet<string>;
  readonly retrieved: ReadonlySet<string>;
}

/** Whether there may be something to write: not where nothing was retrieved, nor has come since the last session. */
export const hasStatusesToUpdate = (mailbox: Mailbox, retrievedCount: number): boolean =>
  retrievedCount > 0 || (mailbox.header.count > 0 && !settled.has(mailbox.header));

/** Mailboxes as they were left. */
const settled = new WeakSet<IndexHeader>();

/**
 * Writes into the messages that a session listed whether they were retrieved, durably, all or none; their unique-ids stay.
 * Only what lies in the mailbox's last `maxTailOctets` is written to, because all that lies behind has to be written again.
 * Throws a Failure (SYS/TEMP or SYS/PERM).
 */
export async function updateStatuses(mailbox: Mailbox, seen: Seen): Promise<void> {
  const { path, trust, locks } = mailbox.place;
  const locked = await lockMailbox(path, trust, locks);
  if (locked === undefined) return;
  try {
    await recoverLocked(mailbox.place, locked.file);
    await rewrite(mailbox, locked.file, seen);
    if (isAllListed(await mailbox.rows(), seen)) settled.add(mailbox.header);
  } finally {
    await locked.release();
  }
}

/** Mail that came during the session lies behind all other, and is left to the next one. */
const isAllListed = (rows: Rows, { listed }: Seen): boolean =>
  rows.count === 0 || listed.has(uidText(rows.uidOf(rows.count - 1)));

/** Memory, four times as much, and twice as much disk for the journal. */
const maxTailOctets = 32 * 1024 * 1024;

async function rewrite(mailbox: Mailbox, file: OpenFile, seen: Seen): Promise<void> {
  const index = await currentIndex(mailbox, file);
  const edits = await findEdits(file, index.rows, seen);
  const [first] = edits;
  if (first === undefined) return;
  const { octets } = await file.stat();
  const { contentLength } = mailbox.place.surroundings.options;
  const check = { file, rows: index.rows, mailboxOctets: octets, contentLength };
  // Somebody is at it without a lock; the next session finds it at rest.
  if (!(await areAsIndexed(new Set(edits.map(({ row }) => row)), check))) return;
  const { path, commit } = mailbox.place;
  const tail = await newTail(file, octets, edits);
  if (!(await isSameMail(check, first.row, tail))) throw new Error(`${path}: ${otherMail}`);
  await failingAs(() => rewriteTail({ path, file }, tail, commit));
  await takeStock(mailbox, file, afterEdits(index, edits));
}

const otherMail = 'with the fields it would no longer be the same messages; those of one may be odd';

/** What is to be written, with its place in the mailbox. */
interface Edit {
  readonly row: number;
  readonly start: number;
  readonly end: number;
  readonly text: Buffer;
}

async function findEdits(file: OpenFile, rows: Rows, { listed, retrieved }: Seen): Promise<readonly Edit[]> {
  const { octets } = await file.stat();
  const edits: Edit[] = [];
  for (let row = firstWithin(rows, octets - maxTailOctets); row < rows.count; row += 1) {
    const uid = uidText(rows.uidOf(row));
    if (!listed.has(uid)) continue;
    const edit = await editOf(file, rows, row, retrieved.has(uid));
    if (edit !== undefined) edits.push(placed(edit, rows, row));
  }
  return edits;
}

function firstWithin(rows: Rows, from: number): number {
  let row = 0;
  while (row < rows.count && rows.offsetOf(row) < from) row += 1;
  return row;
}

/** Most headers are short; a second read finds the end of the others. */
async function editOf(
  file: OpenFile,
  rows: Rows,
  row: number,
  isRetrieved: boolean,
): Promise<FieldEdit | undefined> {
  for (const mostOctets of [4096, 64 * 1024 + 1]) {
    const content = Buffer.alloc(Math.min(rows.contentOctetsOf(row), mostOctets));
    await file.read(content, rows.offsetOf(row) + rows.envelopeOctetsOf(row));
    const isWhole = content.length === rows.contentOctetsOf(row);
    if (isWhole || mostOctets > 4096 || /\n\r?\n|^\r?\n/.test(content.toString('latin1')))
      return statusEdit(content, isRetrieved);
  }
  return undefined;
}

function placed({ start, end, text }: FieldEdit, rows: Rows, row: number): Edit {
  const contentStart = rows.offsetOf(row) + rows.envelopeOctetsOf(row);
  return { row, start: contentStart + start, end: contentStart + end, text };
}

async function newTail(file: OpenFile, mailboxOctets: number, edits: readonly Edit[]): Promise<NewTail> {
  const start = edits[0]?.start ?? mailboxOctets;
  const former = Buffer.alloc(mailboxOctets - start);
  await file.read(former, start);
  const pieces: Buffer[] = [];
  let position = start;
  for (const edit of edits) {
    pieces.push(former.subarray(position - start, edit.start - start), edit.text);
    position = edit.end;
  }
  return { start, content: Buffer.concat([...pieces, former.subarray(position - start)]), mailboxOctets };
}

/** The same messages, some of them longer. */
function afterEdits({ header, rows }: SurveyedIndex, edits: readonly Edit[]): SurveyedIndex {
  const octets = Buffer.from(rows.octets);
  const growths = new Map(edits.map((edit) => [edit.row, growthOf(edit)]));
  let [addedOctets, addedToTotal] = [0, 0];
  for (let row = 0; row < rows.count; row += 1) {
    const at = row * rowOctets;
    octets.writeDoubleLE(rows.offsetOf(row) + addedOctets, at);
    const growth = growths.get(row);
    if (growth === undefined) continue;
    octets.writeDoubleLE(rows.contentOctetsOf(row) + growth.storedOctets, at + 8);
    octets.writeDoubleLE(rows.octetsOf(row) + growth.sentOctets, at + 16);
    addedOctets += growth.storedOctets;
    addedToTotal += growth.sentOctets;
  }
  return {
    header: {
      ...header,
      totalOctets: header.totalOctets + addedToTotal,
      scannedOctets: header.scannedOctets + addedOctets,
    },
    rows: new Rows(octets),
  };
}

/** A line that ends in LF alone is sent with an octet more. */
function growthOf({ start, end, text }: Edit): {
  readonly storedOctets: number;
  readonly sentOctets: number;
} {
  const storedOctets = text.length - (end - start);
  const isNewBareLine = start === end && !text.toString('latin1').endsWith('\r\n');
  return { storedOctets, sentOctets: storedOctets + (isNewBareLine ? 1 : 0) };
}

/** It is done by now: without a look at the mailbox the next login scans it. */
async function takeStock(mailbox: Mailbox, file: OpenFile, { header, rows }: SurveyedIndex): Promise<void> {
  const { path, surroundings } = mailbox.place;
  try {
    const stamp = stampOf(await file.stat(), surroundings.bootId);
    const tailDigest = await tailDigestOf(file, header.scannedOctets);
    mailbox.become({ header: { ...header, stamp, tailDigest }, rows }, false);
  } catch (error) {
    surroundings.log.warn('`Status:` was written; the mailbox is looked through again at the next login', {
      path,
      error,
    });
  }
}
