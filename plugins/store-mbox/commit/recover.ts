import { AfterImage } from './after-image.ts';
import { fillRoom } from './append.ts';
import { bootMark } from './begin.ts';
import { Durability } from './durability.ts';
import { CommitError } from './errors.ts';
import type { OpenFile } from './files.ts';
import type { Header } from './format.ts';
import { Journal, journalPathOf, openPending, readHeader, type ReadRecord } from './journal.ts';
import { Move, tailDigest } from './move.ts';
import { rewriteAgain } from './rewrite.ts';
import type { CommitSettings, Mailbox } from './settings.ts';

/**
 * - `none`: no journal. `discarded`: a commit that never began. `finished`: it had been done, or another program
 *   wrote the mailbox since; the mailbox was not touched.
 * - `rolled forward`: the mailbox was changed just now; scan it again.
 * - `conflict`: the mailbox is another file than the journal's; the journal is at `keptPath`, an operator must look.
 */
export type Recovery =
  | { readonly kind: 'none' | 'discarded' | 'finished' | 'rolled forward' }
  | { readonly kind: 'conflict'; readonly keptPath: string };

/**
 * Finishes what a dead process or a failed disk left; costs one look for a name if there is nothing. The caller holds
 * the mailbox locks. Throws CommitError, always `pending`, if it cannot be finished yet.
 */
export async function recoverMailbox(mailbox: Mailbox, settings: CommitSettings): Promise<Recovery> {
  const path = journalPathOf(settings.journalFolder, mailbox.path);
  try {
    const file = await openPending(path, settings);
    if (file === undefined) return { kind: 'none' };
    try {
      return await recoverFrom(mailbox, { path, file }, settings);
    } finally {
      await file.close().catch(() => undefined);
    }
  } catch (error) {
    throw error instanceof CommitError ? error : new CommitError('pending', mailbox.path, error);
  }
}

async function recoverFrom(
  mailbox: Mailbox,
  found: { readonly path: string; readonly file: OpenFile },
  settings: CommitSettings,
): Promise<Recovery> {
  const header = await readHeader(found.file);
  if (header === undefined) {
    await settings.files.unlink(found.path);
    return { kind: 'discarded' };
  }
  const journal = new Journal(found.path, found.file, { header, settings });
  // A reserve keeps the header of its last use until it has a new one, and that may be of another mailbox.
  const record =
    header.mailboxPath === mailbox.path && !header.done ? await journal.newestRecord() : undefined;
  if (record === undefined) {
    await journal.remove();
    return { kind: header.done ? 'finished' : 'discarded' };
  }
  if (!fits(record, header) || !(await isSameFile(mailbox, header, settings))) {
    return { kind: 'conflict', keptPath: await journal.keep() };
  }
  return await redo(mailbox, journal, record, new Durability(settings));
}

async function redo(
  mailbox: Mailbox,
  journal: Journal,
  record: ReadRecord,
  durability: Durability,
): Promise<Recovery> {
  // What a killed process left may be in the cache only. Acting on it, or forgetting the journal because of it, would
  // lose mail if a power cut took it back.
  await durability.everything(mailbox.file, 'recovery: the mailbox as it was found');
  await journal.writeAgain(record);
  await journal.sync(durability, 'recovery: the journal as it was read');
  await durability.name('recovery: the name of the journal');
  const changed = await act(mailbox.file, journal, record, durability);
  await (changed ? journal.finish(durability) : journal.remove());
  return { kind: changed ? 'rolled forward' : 'finished' };
}

/** Answers whether there was anything to do. */
function act(file: OpenFile, journal: Journal, record: ReadRecord, durability: Durability): Promise<boolean> {
  const { kind, changeStart } = journal.header;
  if (kind === 'append') return fillRoom(file, record, durability);
  if (kind === 'rewrite') return rewriteAgain(file, { start: changeStart, record }, durability);
  return rollForward(file, journal, record, durability);
}

async function rollForward(
  file: OpenFile,
  journal: Journal,
  record: ReadRecord,
  durability: Durability,
): Promise<boolean> {
  const { octets } = await file.stat();
  if (octets < record.mailboxOctets) return false;
  const tail = await tailDigest(file, record.finalOctets, record.mailboxOctets);
  if (!Buffer.from(record.tailDigest).equals(tail)) return false;
  const after = afterImageOf(journal.header, record);
  const image = record.image ?? new Uint8Array(record.octets);
  if (record.image === undefined) await after.read(file, record.doneOctets, image);
  await file.write(image, journal.header.changeStart + record.doneOctets);
  await durability.content(file, 'recovery: the chunk done again');
  after.extend(record.mailboxOctets, octets);
  const progress = {
    after,
    index: record.index + 1,
    doneOctets: record.doneOctets + record.octets,
    mailboxOctets: octets,
  };
  await new Move(file, journal, durability, progress).finishFrom();
  return true;
}

/** The stream that this record is a piece of: what the header keeps, and mail that came before the record. */
function afterImageOf(header: Header, record: ReadRecord): AfterImage {
  const after = new AfterImage(header.kept.slice());
  after.extend(header.mailboxOctets, record.mailboxOctets);
  return after;
}

/** Only a forged journal does not fit; its digests are right, its numbers are not. */
function fits(record: ReadRecord, header: Header): boolean {
  if (header.kind === 'append') {
    return record.image !== undefined && record.mailboxOctets === header.mailboxOctets;
  }
  if (header.kind === 'rewrite') return fitsRewrite(record, header);
  const { octets } = afterImageOf(header, record);
  return (
    record.doneOctets + record.octets <= octets &&
    header.changeStart + octets === record.finalOctets &&
    record.finalOctets < record.mailboxOctets &&
    (header.kept.at(-1) ?? 0) <= header.mailboxOctets
  );
}

function fitsRewrite(record: ReadRecord, { changeStart, mailboxOctets }: Header): boolean {
  const [formerOctets, octets] = [mailboxOctets - changeStart, record.finalOctets - changeStart];
  return (
    record.image !== undefined &&
    record.mailboxOctets === mailboxOctets &&
    record.octets === formerOctets + octets &&
    formerOctets >= 0 &&
    octets >= formerOctets
  );
}

/** The device's number may change when the machine starts (NFS, btrfs, LVM), so it counts within one start only. */
async function isSameFile(mailbox: Mailbox, header: Header, settings: CommitSettings): Promise<boolean> {
  const { dev, ino } = await mailbox.file.stat();
  const boot = await bootMark(settings);
  const sameBoot = boot.some((octet) => octet !== 0) && Buffer.from(header.boot).equals(boot);
  return ino === header.ino && (!sameBoot || dev === header.dev);
}
