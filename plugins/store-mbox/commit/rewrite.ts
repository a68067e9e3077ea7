import { readExactly } from './after-image.ts';
import { begin } from './begin.ts';
import { finish, type CommitResult } from './commit.ts';
import { Durability } from './durability.ts';
import { CommitError } from './errors.ts';
import type { OpenFile } from './files.ts';
import type { Journal, ReadRecord } from './journal.ts';
import type { CommitSettings, Mailbox } from './settings.ts';

/** What a mailbox shall hold from an octet on, instead of what it holds there now. */
export interface NewTail {
  /** Where the mailbox begins to change. */
  readonly start: number;
  /** No shorter than what is there. */
  readonly content: Uint8Array;
  /** Of the mailbox that the content was made of. */
  readonly mailboxOctets: number;
}

/**
 * Replaces the end of the mailbox, durably: all or nothing. It may grow, and never becomes shorter. The caller holds the
 * mailbox locks, has recovered what was pending, and made the content of what is there. Throws CommitError.
 *
 * The journal holds the old octets and the new ones. First the mailbox grows, last octet first and alone, as for an append,
 * so mail that others add lies behind all of it or where it would have grown; only then are old octets replaced, where
 * nothing needs room any more. Recovery goes on where each octet is an old or a new one, and leaves anything else alone.
 *
 * One thing cannot be told: after a crash before the mailbox has grown, mail that begins with the very octets that it
 * would have grown by looks like them.
 */
export async function rewriteTail(
  mailbox: Mailbox,
  tail: NewTail,
  settings: CommitSettings,
): Promise<CommitResult> {
  const durability = new Durability(settings);
  const { mailboxOctets } = tail;
  const former = await formerTail(mailbox, tail);
  const image = Buffer.concat([former, tail.content]);
  const plan = {
    kind: 'rewrite' as const,
    mailbox,
    mailboxOctets,
    changeStart: tail.start,
    kept: new Float64Array(),
    chunkOctets: image.length,
    divisible: false,
    octets: image.length,
  };
  const { journal } = await begin(plan, settings, durability, (begun) => recordImage(begun, tail, image));
  // Mail of an agent that ignores our locks lies where the mailbox was to grow.
  if ((await mailbox.file.stat().catch(() => undefined))?.octets !== mailboxOctets) {
    const sure = await journal.abandon(durability);
    throw new CommitError(sure ? 'untouched' : 'pending', mailbox.path, new Error(ignored));
  }
  const writing = { file: mailbox.file, tail, durability };
  return await finish(mailbox, journal, durability, () => write(mailbox, writing, journal));
}

const ignored = 'mail was added in spite of our locks';

async function formerTail(mailbox: Mailbox, { start, content, mailboxOctets }: NewTail): Promise<Buffer> {
  try {
    if (start > mailboxOctets || content.length < mailboxOctets - start) {
      throw new RangeError('the new end of a mailbox must not be shorter than the old one');
    }
    // What was added since is not in the content, and would be written over.
    if ((await mailbox.file.stat()).octets !== mailboxOctets) throw new Error(ignored);
    const former = Buffer.alloc(mailboxOctets - start);
    await readExactly(mailbox.file, former, start);
    return former;
  } catch (error) {
    throw new CommitError('untouched', mailbox.path, error);
  }
}

async function recordImage(journal: Journal, tail: NewTail, image: Uint8Array): Promise<void> {
  const { blockOctets, mailboxOctets } = journal.header;
  const room = new Uint8Array(journal.headerOctets + blockOctets + image.length);
  room.set(image, journal.headerOctets + blockOctets);
  const description = {
    index: 0,
    doneOctets: 0,
    octets: image.length,
    hasImage: true,
    mailboxOctets,
    finalOctets: tail.start + tail.content.length,
    // Nothing is cut off at the end.
    tailDigest: new Uint8Array(32),
  };
  await journal.writeFirst(description, room);
}

interface Writing {
  readonly file: OpenFile;
  readonly tail: NewTail;
  readonly durability: Durability;
}

async function write(
  mailbox: Mailbox,
  writing: Writing,
  journal: Journal,
): Promise<{ readonly mailboxOctets: number; readonly formerOctets: number }> {
  const { file, tail, durability } = writing;
  const { mailboxOctets } = tail;
  try {
    await grow(writing);
  } catch (error) {
    throw new CommitError(await takeBack(writing, journal), mailbox.path, error);
  }
  await file.write(tail.content.subarray(0, mailboxOctets - tail.start), tail.start);
  await durability.content(file, 'rewrite: the old octets, before the journal goes');
  return { mailboxOctets: tail.start + tail.content.length, formerOctets: mailboxOctets };
}

async function grow({ file, tail, durability }: Writing): Promise<void> {
  const { mailboxOctets } = tail;
  const more = tail.content.subarray(mailboxOctets - tail.start);
  if (more.length === 0) return;
  await file.write(more.subarray(-1), mailboxOctets + more.length - 1);
  await durability.content(file, 'rewrite: the room, before what it holds');
  await file.write(more, mailboxOctets);
  await durability.content(file, 'rewrite: what the mailbox grew by, before old octets go');
}

/** A full disk must not leave a hole in the mailbox. Going back is one cut, as long as no mail lies behind. */
async function takeBack(writing: Writing, journal: Journal): Promise<'untouched' | 'pending'> {
  const { file, tail, durability } = writing;
  const { mailboxOctets } = tail;
  try {
    const { octets } = await file.stat();
    if (octets > tail.start + tail.content.length) return 'pending';
    if (octets > mailboxOctets) await file.truncate(mailboxOctets);
    await durability.everything(file, 'rewrite: the room is taken back');
    return (await journal.abandon(durability)) ? 'untouched' : 'pending';
  } catch {
    return 'pending';
  }
}

/** Goes on with what a dead process left; answers whether the mailbox was changed. */
export async function rewriteAgain(
  file: OpenFile,
  { start, record }: { readonly start: number; readonly record: ReadRecord },
  durability: Durability,
): Promise<boolean> {
  const image = record.image ?? new Uint8Array();
  const formerOctets = record.mailboxOctets - start;
  const [former, content] = [image.subarray(0, formerOctets), image.subarray(formerOctets)];
  const found = new Uint8Array(content.length);
  // Too short: it had not grown, and no old octet was replaced.
  if ((await file.read(found, start)) < content.length) return false;
  if (!isMixed(found, former, content)) return false;
  await file.write(content, start);
  await durability.content(file, 'recovery: the new octets done again');
  return true;
}

/** Of old octets and new ones, or zeros where there were none; and not yet all new. */
function isMixed(found: Uint8Array, former: Uint8Array, content: Uint8Array): boolean {
  let isWhole = true;
  for (const [index, octet] of found.entries()) {
    if (octet === content[index]) continue;
    if (octet !== (former[index] ?? 0)) return false;
    isWhole = false;
  }
  return !isWhole;
}
