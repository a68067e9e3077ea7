import { begin } from './begin.ts';
import { finish, type CommitResult } from './commit.ts';
import { Durability } from './durability.ts';
import { CommitError } from './errors.ts';
import type { OpenFile } from './files.ts';
import type { Journal, ReadRecord } from './journal.ts';
import type { CommitSettings, Mailbox } from './settings.ts';

/**
 * Appends `content` (whole messages, each beginning with its From_ line) to the mailbox, durably: all or nothing.
 * The caller holds the mailbox locks and has recovered what was pending. Throws CommitError.
 *
 * The journal holds the content. The last octet is written first and alone: whatever dies, the mailbox has either its
 * old size or the whole room, so mail that others append afterwards lies behind the room or where it would have
 * begun, never inside. Recovery fills a room that holds only this content and zeros, and leaves anything else alone.
 */
export async function appendMessages(
  mailbox: Mailbox,
  content: Uint8Array,
  settings: CommitSettings,
): Promise<CommitResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await appendOnce(mailbox, content, settings);
    if (result !== undefined) return result;
    if (attempt === maxAttempts) throw new CommitError('untouched', mailbox.path, new Error(ignored));
  }
}

const maxAttempts = 5;
const ignored = 'other programs keep adding mail in spite of our locks';

/** undefined if mail came while the journal was made, from an agent that ignores our locks. */
async function appendOnce(
  mailbox: Mailbox,
  content: Uint8Array,
  settings: CommitSettings,
): Promise<CommitResult | undefined> {
  const durability = new Durability(settings);
  const mailboxOctets = await sizeOf(mailbox);
  if (content.length === 0) return { mailboxOctets, formerOctets: mailboxOctets, leftover: undefined };
  const plan = {
    kind: 'append' as const,
    mailbox,
    mailboxOctets,
    changeStart: mailboxOctets,
    kept: new Float64Array(),
    chunkOctets: content.length,
    divisible: false,
    octets: content.length,
  };
  const { journal } = await begin(plan, settings, durability, (begun) => recordContent(begun, content));
  const room = { start: mailboxOctets, content };
  if ((await mailbox.file.stat().catch(() => undefined))?.octets !== mailboxOctets) {
    return await startOver(mailbox, journal, durability);
  }
  return await finish(mailbox, journal, durability, () => write(mailbox, room, { journal, durability }));
}

async function sizeOf(mailbox: Mailbox): Promise<number> {
  try {
    return (await mailbox.file.stat()).octets;
  } catch (error) {
    throw new CommitError('untouched', mailbox.path, error);
  }
}

async function recordContent(journal: Journal, content: Uint8Array): Promise<void> {
  const { blockOctets, mailboxOctets } = journal.header;
  const room = new Uint8Array(journal.headerOctets + blockOctets + content.length);
  room.set(content, journal.headerOctets + blockOctets);
  const description = {
    index: 0,
    doneOctets: 0,
    octets: content.length,
    hasImage: true,
    mailboxOctets,
    finalOctets: mailboxOctets + content.length,
    // Nothing is cut off at the end of an append.
    tailDigest: new Uint8Array(32),
  };
  await journal.writeFirst(description, room);
}

async function startOver(mailbox: Mailbox, journal: Journal, durability: Durability): Promise<undefined> {
  const sure = await journal.abandon(durability);
  if (!sure) throw new CommitError('pending', mailbox.path, new Error('the journal cannot be taken back'));
  return undefined;
}

interface Room {
  /** Where the content begins in the mailbox. */
  readonly start: number;
  readonly content: Uint8Array;
}

interface Writing {
  readonly journal: Journal;
  readonly durability: Durability;
}

async function write(
  mailbox: Mailbox,
  room: Room,
  writing: Writing,
): Promise<{ readonly mailboxOctets: number; readonly formerOctets: number }> {
  const { start, content } = room;
  const { durability } = writing;
  const end = start + content.length;
  try {
    await mailbox.file.write(content.subarray(-1), end - 1);
    await durability.content(mailbox.file, 'append: the room, before the content');
    await mailbox.file.write(content, start);
    await durability.content(mailbox.file, 'append: the content, before the journal goes');
  } catch (error) {
    throw new CommitError(await takeBack(mailbox, room, writing), mailbox.path, error);
  }
  return { mailboxOctets: end, formerOctets: start };
}

/** A full disk must not leave a hole in the mailbox. Going back is one cut, as long as no mail lies behind the room. */
async function takeBack(mailbox: Mailbox, room: Room, writing: Writing): Promise<'untouched' | 'pending'> {
  try {
    const { octets } = await mailbox.file.stat();
    if (octets > room.start + room.content.length) return 'pending';
    if (octets > room.start) await mailbox.file.truncate(room.start);
    await writing.durability.everything(mailbox.file, 'append: the room is taken back');
    return (await writing.journal.abandon(writing.durability)) ? 'untouched' : 'pending';
  } catch {
    return 'pending';
  }
}

/** Fills the room that a dead process left; answers whether the mailbox was changed. */
export async function fillRoom(file: OpenFile, record: ReadRecord, durability: Durability): Promise<boolean> {
  const content = record.image ?? new Uint8Array();
  const found = new Uint8Array(content.length);
  // Too short: the room was never made. Anything but ours and zeros: other mail lies where it would have begun.
  if ((await file.read(found, record.mailboxOctets)) < content.length) return false;
  let whole = true;
  for (const [index, octet] of found.entries()) {
    if (octet === content[index]) continue;
    if (octet !== 0) return false;
    whole = false;
  }
  if (whole) return false;
  await file.write(content, record.mailboxOctets);
  await durability.content(file, 'recovery: the content done again');
  return true;
}
