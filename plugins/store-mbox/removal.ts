import { PartlyRemoved } from 'popperd';

import { commitDeletions, type OpenFile } from './commit/index.ts';
import { areAsIndexed } from './confirmation.ts';
import { type DeletionPlan, planDeletion } from './deletion-plan.ts';
import { type IndexHeader, isSameMailbox } from './index-header.ts';
import { lockMailbox } from './mailbox-lock.ts';
import type { Mailbox } from './mailbox.ts';
import type { Placement } from './placement.ts';
import { failingAs, recoverLocked } from './recovery.ts';
import type { Rows } from './rows.ts';
import { stampOf, type SurveyedIndex, tailDigestOf } from './survey.ts';

/**
 * Removes these of the messages that the session listed, durably. Each is digested again before: what is not octet for
 * octet the message that the client was shown (but for fields such as `Status:`) stays. Throws a PartlyRemoved (SYS/TEMP)
 * if some were not found, and then the others are removed; a Failure (SYS/PERM) if the mailbox may not be changed.
 */
export async function removeMessages(
  mailbox: Mailbox,
  listed: Placement,
  deleted: ReadonlySet<number>,
): Promise<void> {
  const { path, trust, locks } = mailbox.place;
  const locked = await lockMailbox(path, trust, locks);
  if (locked === undefined) throw notRemoved(path, deleted.size);
  try {
    await recoverLocked(mailbox.place, locked.file);
    const placement = await confirmed(mailbox, locked.file, listed, deleted);
    const rows = rowsOf(placement, deleted);
    const removed = { messages: rows.size, octets: octetsOf(rows, placement.rows) };
    if (rows.size > 0) await remove(mailbox, locked.file, placement.rows, rows);
    if (rows.size < deleted.size) throw notRemoved(path, deleted.size, removed);
  } finally {
    await locked.release();
  }
}

function notRemoved(path: string, count: number, removed = { messages: 0, octets: 0 }): PartlyRemoved {
  const missing = count - removed.messages;
  const are = missing === 1 ? 'message is gone or was' : 'messages are gone or were';
  const cause = new Error(`${path}: ${missing} ${are} changed by another program`);
  return new PartlyRemoved(`${missing} of ${count} messages not removed`, {
    code: 'SYS/TEMP',
    cause,
    removed,
  });
}

function octetsOf(deleted: ReadonlySet<number>, rows: Rows): number {
  let octets = 0;
  for (const row of deleted) octets += rows.octetsOf(row);
  return octets;
}

function rowsOf(placement: Placement, deleted: ReadonlySet<number>): Set<number> {
  const rows = new Set<number>();
  for (const index of deleted) {
    const row = placement.rowOf(index);
    if (row !== undefined) rows.add(row);
  }
  return rows;
}

/** Where the messages are for certain: digested again since the locks were taken. */
async function confirmed(
  mailbox: Mailbox,
  file: OpenFile,
  listed: Placement,
  deleted: ReadonlySet<number>,
): Promise<Placement> {
  let placement = listed;
  const { bootId, options } = mailbox.place.surroundings;
  const stat = await file.stat();
  if (!isSameMailbox(mailbox.header.stamp, stampOf(stat, bootId))) {
    const found = await mailbox.survey(file, { stat, isBeingWritten: false });
    placement = listed.moved(found.rows, found.keptCount);
    if (found.keptCount === 0) return placement;
  }
  const { contentLength } = options;
  const check = { file, rows: placement.rows, mailboxOctets: stat.octets, contentLength };
  if (await areAsIndexed(rowsOf(placement, deleted), check)) return placement;
  const found = await mailbox.survey(file, {
    stat: await file.stat(),
    isBeingWritten: false,
    everything: true,
  });
  return placement.moved(found.rows, 0);
}

async function remove(
  mailbox: Mailbox,
  file: OpenFile,
  rows: Rows,
  deleted: ReadonlySet<number>,
): Promise<void> {
  const { path, commit, surroundings } = mailbox.place;
  const plan = planDeletion(rows, deleted, await isBehindEmptyLine(file, rows.offsetOf(0)));
  const after = headerAfter(mailbox.header, plan);
  // Which of several equal messages went cannot be seen afterwards, should this process die before it writes the index.
  if (plan.kept.hasTwins) await mailbox.announce({ header: after, rows: plan.kept });
  const { leftover } = await failingAs(() => commitDeletions({ path, file }, plan.ranges, commit));
  if (leftover !== undefined) {
    surroundings.log.warn('a journal could not be taken away; the next login does it', {
      path,
      error: leftover,
    });
  }
  await takeStock(mailbox, file, { header: after, rows: plan.kept });
}

/**
 * Brings the index up to what the deletion has left. The deletion is done by now, whatever happens here: without a look at
 * the mailbox the index stays out of date, and the next login sees that and scans.
 */
async function takeStock(mailbox: Mailbox, file: OpenFile, { header, rows }: SurveyedIndex): Promise<void> {
  const { path, surroundings } = mailbox.place;
  try {
    const stamp = stampOf(await file.stat(), surroundings.bootId);
    const tailDigest = await tailDigestOf(file, header.scannedOctets);
    mailbox.become({ header: { ...header, stamp, tailDigest }, rows }, false);
  } catch (error) {
    surroundings.log.warn('messages were removed; the mailbox is looked through again at the next login', {
      path,
      error,
    });
  }
}

function headerAfter(header: IndexHeader, { kept, removedOctets }: DeletionPlan): IndexHeader {
  let totalOctets = 0;
  for (let index = 0; index < kept.count; index += 1) totalOctets += kept.octetsOf(index);
  return { ...header, count: kept.count, totalOctets, scannedOctets: header.scannedOctets - removedOctets };
}

async function isBehindEmptyLine(file: OpenFile, offset: number): Promise<boolean> {
  if (offset === 0) return true;
  const before = Buffer.alloc(Math.min(offset, 3));
  await file.read(before, offset - before.length);
  return /\n\r?\n$/.test(before.toString('latin1'));
}
