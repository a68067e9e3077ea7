import { Failure } from 'popperd';

import { sha256 } from './canonical.ts';
import { commitDeletions, type OpenFile } from './commit/index.ts';
import { type DeletionPlan, planDeletion } from './deletion-plan.ts';
import { isSameMailbox } from './index-header.ts';
import { lockMailbox } from './mailbox-lock.ts';
import type { Mailbox } from './mailbox.ts';
import type { Placement } from './placement.ts';
import { failingAs, recoverLocked } from './recovery.ts';
import type { Rows } from './rows.ts';
import { scanMailbox } from './scanner.ts';
import { stampOf, type SurveyedIndex, tailDigestOf } from './survey.ts';

/**
 * Removes these of the messages that the session listed, durably. Each is digested again before: what is not octet for
 * octet the message that the client was shown (but for fields such as `Status:`) stays. Throws a Failure: SYS/TEMP if
 * some were not found, and then the others are removed; SYS/PERM if the mailbox may not be changed.
 */
export async function removeMessages(
  mailbox: Mailbox,
  listed: Placement,
  deleted: ReadonlySet<number>,
): Promise<void> {
  const { path, trust, locks } = mailbox.place;
  const locked = await lockMailbox(path, trust, locks);
  if (locked === undefined) throw notRemoved(path, deleted.size, deleted.size);
  try {
    await recoverLocked(mailbox.place, locked.file);
    const placement = await confirmed(mailbox, locked.file, listed, deleted);
    const rows = rowsOf(placement, deleted);
    if (rows.size > 0) await remove(mailbox, locked.file, placement.rows, rows);
    if (rows.size < deleted.size) throw notRemoved(path, deleted.size - rows.size, deleted.size);
  } finally {
    await locked.release();
  }
}

const notRemoved = (path: string, missingCount: number, count: number): Failure =>
  new Failure(`${missingCount} of ${count} messages not removed`, {
    code: 'SYS/TEMP',
    cause: new Error(`${path}: ${missingCount} messages are gone or were changed by another program`),
  });

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
  const { header, place } = mailbox;
  const stat = await file.stat();
  const { bootId, options } = place.surroundings;
  if (isSameMailbox(header.stamp, stampOf(stat, bootId))) {
    const indexes = [...rowsOf(listed, deleted)].toSorted((one, other) => one - other);
    const check = { file, rows: listed.rows, mailboxOctets: stat.octets, contentLength: options.contentLength };
    if (await areAsListed(indexes, check)) return listed;
    mailbox.doubt();
  }
  const found = await mailbox.survey(file, false);
  return found.keptCount === 0 ? listed.moved(found.rows, 0) : await stillConfirmed();
}
