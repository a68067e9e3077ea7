import { dirname } from 'node:path';

import { lockOrCreate, missingLineEnds } from './addition.ts';
import { appendMessages, errorCode, type FileStat, type OpenFile } from './commit/index.ts';
import { currentIndex } from './current-index.ts';
import { type LeftMessage, messagesIn } from './left-messages.ts';
import type { Mailbox } from './mailbox.ts';
import type { Place } from './place.ts';
import { failingAs, isUntouched, recoverLocked } from './recovery.ts';
import type { Rows } from './rows.ts';
import type { SurveyedIndex } from './survey.ts';
import { areAdded, wouldBeFoundAgain } from './take-over-found-again.ts';
import { HalfTaken, TakenNote } from './taken-note.ts';
import { openTemporaryDrop, temporaryDropPathOf } from './temporary-drop.ts';
import { Copies } from './uids.ts';

/** What was added to the mailbox. */
interface TakenOver {
  readonly messages: number;
  readonly octets: number;
}

/**
 * Adds the mail that a dead classic popper left in its temporary drop at the end of the mailbox, durably, and only then
 * empties the drop. What is in the mailbox already is not added again: whoever died before, in the middle of this or of the
 * classic's own copying, nothing is lost and nothing doubled. undefined if there is nothing, or a classic popper is at it.
 * Throws a Failure or an Error that says what is wrong with it; then the drop is as it was, and what was added of it is noted, and is
 * not added again. Throws HalfTaken where it could not be noted.
 */
export async function takeOver(mailbox: Mailbox): Promise<TakenOver | undefined> {
  const { path, trust, surroundings } = mailbox.place;
  const locked = await lockOrCreate(mailbox.place);
  try {
    // Behind the mailbox's locks: a classic popper takes those, too, before it copies.
    const drop = await openTemporaryDrop(surroundings.files, path, trust);
    if (drop === undefined) return undefined;
    try {
      await recoverLocked(mailbox.place, locked.file);
      return await moveMail(mailbox, locked.file, drop);
    } finally {
      await drop.close();
    }
  } finally {
    await locked.release();
  }
}

async function moveMail(mailbox: Mailbox, file: OpenFile, drop: OpenFile): Promise<TakenOver> {
  const before = await drop.stat();
  const note = await TakenNote.open(mailbox.place, before);
  try {
    const missing = await addMissing(mailbox, { file, drop, note });
    try {
      await empty(mailbox.place, drop, before);
    } catch (error) {
      if (note.isBehind) await note.begin();
      throw error;
    }
    await note.remove();
    return { messages: missing.length, octets: missing.reduce((sum, { octets }) => sum + octets, 0) };
  } finally {
    await note.close();
  }
}

/** Durably. Throws an Error where it is not what it was before, and system errors. */
async function empty({ path, commit }: Place, drop: OpenFile, before: FileStat): Promise<void> {
  const after = await drop.stat();
  if (after.octets !== before.octets || after.mtimeNs !== before.mtimeNs) {
    const dropPath = temporaryDropPathOf(path);
    throw new Error(`${dropPath}: another program wrote to it meanwhile; the next login tries again`);
  }
  await drop.truncate(0);
  if (commit.fsync !== 'never') await drop.sync('take over: the drop is empty');
}

interface Move {
  readonly file: OpenFile;
  readonly drop: OpenFile;
  readonly note: TakenNote;
}

/** Part by part, each of which is noted before anybody sees it. Answers what was missing. */
async function addMissing(mailbox: Mailbox, move: Move): Promise<readonly LeftMessage[]> {
  const { file, drop, note } = move;
  let { rows } = await currentIndex(mailbox, file);
  const { messages, wholeOctets } = await messagesIn(mailbox, { file, rows, drop }, note.wholeOctets);
  // What was there already was perhaps never waited for.
  await sync(mailbox, file);
  const absent = new Set(missingIn(rows, messages));
  note.compare(
    wholeOctets,
    messages.map((message) => ({ ...message, isThere: !absent.has(message) })),
  );
  const missing = messages.filter(({ index }) => !note.has(index));
  // A drop that is emptied now needs no note, for which a full disk may have no room.
  if (missing.length === 0) return missing;
  await note.begin();
  for (const batch of batchesOf(missing, mailbox.place.surroundings.options.chunkOctets)) {
    rows = await addBatch(mailbox, move, { batch, rows });
  }
  return missing;
}

/** Answers what is in the mailbox then. Throws HalfTaken where it may have been added, and is not noted. */
async function addBatch(
  mailbox: Mailbox,
  { file, drop, note }: Move,
  { batch, rows }: { readonly batch: readonly LeftMessage[]; readonly rows: Rows },
): Promise<Rows> {
  const { path, surroundings } = mailbox.place;
  const content = await contentOf(drop, batch);
  const isSafe = await wouldBeFoundAgain(file, { batch, content, rows }, surroundings.options.contentLength);
  if (!isSafe) throw notFoundAgain(path);
  const found = await appended(mailbox, file, content);
  if (!areAdded(batch, rows, found.rows)) throw new HalfTaken(notFoundAgain(path));
  await note.add(batch.map(({ index }) => index));
  return found.rows;
}

const notFoundAgain = (path: string): Error =>
  new Error(
    `${temporaryDropPathOf(path)}: its messages would not be the same at the end of the mailbox: add them by hand`,
  );

async function appended(mailbox: Mailbox, file: OpenFile, content: Buffer): Promise<SurveyedIndex> {
  const { path, commit } = mailbox.place;
  const lead = await missingLineEnds(file);
  try {
    await failingAs(() => appendMessages({ path, file }, Buffer.concat([lead, content]), commit));
    return await mailbox.survey(file, { stat: await file.stat(), isBeingWritten: false });
  } catch (error) {
    throw isUntouched(error) ? error : new HalfTaken(error);
  }
}

/** Of several equal messages as many as there are more of than in the mailbox. */
function missingIn(rows: Rows, left: readonly LeftMessage[]): readonly LeftMessage[] {
  const copies = new Copies(rows);
  const counts = new Map<string, number>();
  return left.filter(({ digest }) => {
    const name = Buffer.from(digest).toString('hex');
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count > copies.of(digest).length;
  });
}

/** The journal and memory hold one of them. Each is added for good before the next one is. */
function batchesOf(
  messages: readonly LeftMessage[],
  batchOctets: number,
): readonly (readonly LeftMessage[])[] {
  const batches: LeftMessage[][] = [];
  let room = 0;
  for (const message of messages) {
    room -= message.envelopeOctets + message.contentOctets;
    if (room < 0 || batches.length === 0) {
      batches.push([]);
      room = batchOctets - message.envelopeOctets - message.contentOctets;
    }
    batches.at(-1)?.push(message);
  }
  return batches;
}

async function contentOf(drop: OpenFile, batch: readonly LeftMessage[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (const { offset, envelopeOctets, contentOctets } of batch) {
    const stored = Buffer.alloc(envelopeOctets + contentOctets);
    await drop.read(stored, offset);
    pieces.push(stored, Buffer.from(stored.at(-1) === lineFeed ? '\n' : '\n\n'));
  }
  return Buffer.concat(pieces);
}

const lineFeed = 0x0a;

/** The mailbox may have been made just now. A folder that cannot be opened cannot be waited for. */
async function sync({ place }: Mailbox, file: OpenFile): Promise<void> {
  if (place.commit.fsync === 'never') return;
  await file.sync('take over: the mailbox, before it is noted what it has');
  try {
    await place.surroundings.files.syncFolder(dirname(place.path), "take over: the mailbox's name");
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
  }
}
