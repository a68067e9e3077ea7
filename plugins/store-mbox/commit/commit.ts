import { AfterImage, keptAbove } from './after-image.ts';
import { begin } from './begin.ts';
import { Durability } from './durability.ts';
import { CommitError } from './errors.ts';
import type { Journal } from './journal.ts';
import { Move } from './move.ts';
import { isMailboxPending } from './pending.ts';
import type { CommitSettings, Mailbox } from './settings.ts';

/** The mailbox after a commit. */
export interface CommitResult {
  /** Size now, late mail included. */
  readonly mailboxOctets: number;
  /** Size before, late mail (of agents that ignore the locks) included. */
  readonly formerOctets: number;
  /** The commit stands, but its journal could not be taken away; the next recovery does it. For the log. */
  readonly leftover: unknown;
}

/**
 * Removes the octet ranges `deleted` (start, end, start, end, ...: half-open, ascending, not overlapping) from the
 * mailbox, durably: all of them or none, whatever dies when. The caller holds the mailbox locks, has recovered what
 * was pending, and knows by digest that the ranges are the messages that he means. Throws CommitError.
 *
 * Kept mail is moved down in place, because a new file under the old name loses the mail of every agent that has the
 * old one open. A redo journal makes that safe. Why it holds:
 * - Steps write only below the final size; what lies above stays as it was until the one cut, so its digest, which
 *   is in each record, tells whether the cut has happened.
 * - A record becomes durable only when everything before it is durable in the mailbox, and a chunk is written only
 *   when its record is durable. So it is enough to redo the newest record, any number of times.
 * - A chunk that does not overlap its sources needs no image: they are whole until a later chunk, whose record would
 *   then be the newest.
 * - If nothing is kept behind the first deleted octet there is only the cut, which file systems do at once or not.
 *
 * One thing cannot be told: after a crash between cut and journal's end, mail that is octet for octet what was cut
 * off, delivered before recovery runs, leaves the very file that there was before the cut.
 */
export async function commitDeletions(
  mailbox: Mailbox,
  deleted: Float64Array,
  settings: CommitSettings,
): Promise<CommitResult> {
  const mailboxOctets = await checkedOctets(mailbox, deleted, settings);
  const changeStart = deleted[0];
  if (changeStart === undefined) return { mailboxOctets, formerOctets: mailboxOctets, leftover: undefined };
  const kept = keptAbove(deleted, mailboxOctets);
  const durability = new Durability(settings);
  if (kept.length === 0) return await cut(mailbox, durability, { mailboxOctets, changeStart });
  // A copy: late mail grows the stream, but not what the header says.
  const after = new AfterImage(kept.slice());
  const chunkOctets = Math.min(settings.chunkOctets ?? defaultChunkOctets, after.octets);
  const plan = {
    kind: 'deletions' as const,
    mailbox,
    mailboxOctets,
    changeStart,
    kept,
    chunkOctets,
    divisible: true,
    octets: after.octets,
  };
  const { journal, decided } = await begin(plan, settings, durability, async (begun) => {
    const move = new Move(mailbox.file, begun, durability, { after, index: 0, doneOctets: 0, mailboxOctets });
    await move.decide();
    return move;
  });
  return await finish(mailbox, journal, durability, () => decided.finish());
}

const defaultChunkOctets = 4 * 1024 * 1024;

/** What comes after the commit point: there is no way back, so whatever fails is left to recovery. */
export async function finish(
  mailbox: Mailbox,
  journal: Journal,
  durability: Durability,
  steps: () => Promise<Omit<CommitResult, 'leftover'>>,
): Promise<CommitResult> {
  try {
    const sizes = await steps();
    const leftover = await journal.finish(durability).catch((error: unknown) => error);
    return { ...sizes, leftover };
  } catch (error) {
    throw error instanceof CommitError ? error : new CommitError('pending', mailbox.path, error);
  } finally {
    // What had to be durable is; a close that fails changes nothing.
    await journal.close().catch(() => undefined);
  }
}

async function checkedOctets(
  mailbox: Mailbox,
  deleted: Float64Array,
  settings: CommitSettings,
): Promise<number> {
  try {
    if (await isMailboxPending(mailbox.path, settings)) {
      throw new Error('a journal is pending; recover the mailbox first');
    }
    const { octets } = await mailbox.file.stat();
    checkRanges(deleted, octets);
    return octets;
  } catch (error) {
    throw new CommitError('untouched', mailbox.path, error);
  }
}

function checkRanges(deleted: Float64Array, mailboxOctets: number): void {
  if (deleted.length % 2 !== 0) throw new RangeError('a range to delete has no end');
  let before = 0;
  for (const [index, edge] of deleted.entries()) {
    const empty = index % 2 === 1 && edge === before;
    if (!Number.isSafeInteger(edge) || edge < before || edge > mailboxOctets || empty) {
      throw new RangeError('the ranges to delete are empty, not in order, or not in the mailbox');
    }
    before = edge;
  }
}

async function cut(
  mailbox: Mailbox,
  durability: Durability,
  sizes: { readonly mailboxOctets: number; readonly changeStart: number },
): Promise<CommitResult> {
  try {
    await mailbox.file.truncate(sizes.changeStart);
  } catch (error) {
    throw new CommitError('untouched', mailbox.path, error);
  }
  try {
    await durability.everything(mailbox.file, 'commit: the only cut');
  } catch (error) {
    throw new CommitError('unsynced', mailbox.path, error);
  }
  return { mailboxOctets: sizes.changeStart, formerOctets: sizes.mailboxOctets, leftover: undefined };
}
