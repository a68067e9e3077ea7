import { dirname } from 'node:path';

import { lockOrCreate, missingLineEnds } from './addition.ts';
import { sha256 } from './canonical.ts';
import { appendMessages, errorCode, type OpenFile } from './commit/index.ts';
import { currentIndex } from './current-index.ts';
import { isEnvelope, lookaheadOctets } from './envelope.ts';
import type { Mailbox } from './mailbox.ts';
import { octetsAlike } from './octets-alike.ts';
import { failingAs, recoverLocked } from './recovery.ts';
import type { Extent, Rows } from './rows.ts';
import { scanMailbox } from './scanner.ts';
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
 * Throws a Failure or an Error that says what is wrong with it; then it is as it was.
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
  const { rows } = await currentIndex(mailbox, file);
  const left = await messagesIn(mailbox, { file, rows, drop });
  const missing = missingIn(rows, left);
  for (const batch of batchesOf(missing)) {
    const content = await contentOf(drop, batch);
    await assertFoundAgain(mailbox, content, batch);
    await append(mailbox, file, content);
  }
  const found = await mailbox.survey(file, { stat: await file.stat(), isBeingWritten: false });
  const dropPath = temporaryDropPathOf(mailbox.place.path);
  if (missingIn(found.rows, left).length > 0) throw notFoundAgain(dropPath);
  const after = await drop.stat();
  if (after.octets !== before.octets || after.mtimeNs !== before.mtimeNs) {
    throw new Error(`${dropPath}: another program wrote to it meanwhile; the next login tries again`);
  }
  // What was there already was perhaps never waited for.
  await sync(mailbox, file);
  await drop.truncate(0);
  if (mailbox.place.commit.fsync !== 'never') await drop.sync('take over: the drop is empty');
  return { messages: missing.length, octets: missing.reduce((sum, { octets }) => sum + octets, 0) };
}

/** A message of the drop. */
interface LeftMessage extends Extent {
  readonly octets: number;
  readonly digest: Uint8Array;
}

interface Files {
  readonly file: OpenFile;
  readonly rows: Rows;
  readonly drop: OpenFile;
}

/** But for a message that a classic popper was copying from the mailbox when it died: there it is whole. */
async function messagesIn(mailbox: Mailbox, files: Files): Promise<readonly LeftMessage[]> {
  const { drop } = files;
  const { octets } = await drop.stat();
  const all = await scanDrop(mailbox, drop, octets);
  const end = await wholeOctets(
    files,
    all.messages.map(({ offset }) => offset),
  );
  const { messages, strayOctets } = end === octets ? all : await scanDrop(mailbox, drop, end);
  const [first] = messages;
  if (strayOctets > 0 || (first !== undefined && !(await isEnvelopeAnywhere(drop, first)))) {
    throw new Error(
      `${temporaryDropPathOf(mailbox.place.path)}: does not begin with a message's From_ line: see what it is, and move it away`,
    );
  }
  return messages;
}

interface ScannedDrop {
  readonly messages: readonly LeftMessage[];
  readonly strayOctets: number;
}

async function scanDrop(mailbox: Mailbox, drop: OpenFile, to: number): Promise<ScannedDrop> {
  if (to === 0) return { messages: [], strayOctets: 0 };
  const { contentLength } = mailbox.place.surroundings.options;
  const messages: LeftMessage[] = [];
  const scan = { file: drop, from: 0, to, startsMailbox: true, contentLength };
  const { strayOctets } = await scanMailbox(scan, ({ canonical, isFolderInternalData, ...message }) => {
    if (!isFolderInternalData) messages.push({ ...message, digest: sha256(canonical) });
  });
  return { messages, strayOctets };
}

/** At the start of a file any From_ line will do; elsewhere it has to look like one. */
async function isEnvelopeAnywhere(drop: OpenFile, { offset }: LeftMessage): Promise<boolean> {
  const ahead = Buffer.alloc(lookaheadOctets);
  const text = ahead.toString('latin1', 0, await drop.read(ahead, offset));
  const [line = '', next = ''] = text.split('\n', 2);
  return isEnvelope(line.trimEnd(), 'blank line', next);
}

/**
 * Octets of the drop without a copy that was cut off. The mailbox's beginning then stands in it, octet for octet up to the
 * drop's end, which is no message's; it may have been cut off in a From_ line, too.
 */
async function wholeOctets({ file, rows, drop }: Files, offsets: readonly number[]): Promise<number> {
  const { octets } = await drop.stat();
  const { octets: mailboxOctets } = await file.stat();
  for (const start of [...offsets, await lastLineStart(drop, octets)]) {
    const length = octets - start;
    if (length < fromLine.length || length > mailboxOctets) continue;
    if (await octetsAlike({ file: drop, start }, { file, start: 0 }, length))
      return start + lastEndUpTo(rows, length);
  }
  return octets;
}

function lastEndUpTo(rows: Rows, octets: number): number {
  let end = 0;
  for (let row = 0; row < rows.count && rows.endOf(row) <= octets; row += 1) end = rows.endOf(row);
  return end;
}

const fromLine = 'From ';

async function lastLineStart(drop: OpenFile, octets: number): Promise<number> {
  const end = Buffer.alloc(Math.min(octets, 1024));
  await drop.read(end, octets - end.length);
  return octets - end.length + end.lastIndexOf(`\n${fromLine}`) + 1;
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
const batchOctets = 16 * 1024 * 1024;

function batchesOf(messages: readonly LeftMessage[]): readonly (readonly LeftMessage[])[] {
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

/** Before anything is added: what would not be known again would be added at each login. */
async function assertFoundAgain(
  { place }: Mailbox,
  content: Buffer,
  batch: readonly LeftMessage[],
): Promise<void> {
  const { contentLength } = place.surroundings.options;
  const file = { read: async (target: Uint8Array, position: number) => content.copy(target, 0, position) };
  const digests: Buffer[] = [];
  const scan = { file, from: 0, to: content.length, startsMailbox: false, before: emptyLine, contentLength };
  await scanMailbox(scan, ({ canonical }) => digests.push(sha256(canonical)));
  const isSame = batch.every(({ digest }, index) => digests[index]?.equals(digest) === true);
  if (!isSame || digests.length !== batch.length) throw notFoundAgain(temporaryDropPathOf(place.path));
}

const emptyLine = Buffer.from('\n\n');

const notFoundAgain = (dropPath: string): Error =>
  new Error(`${dropPath}: its messages would not be the same at the end of the mailbox: add them by hand`);

async function append(mailbox: Mailbox, file: OpenFile, content: Buffer): Promise<void> {
  const { path, commit } = mailbox.place;
  const lead = await missingLineEnds(file);
  await failingAs(() => appendMessages({ path, file }, Buffer.concat([lead, content]), commit));
}

/** The mailbox may have been made just now. A folder that cannot be opened cannot be waited for. */
async function sync({ place }: Mailbox, file: OpenFile): Promise<void> {
  if (place.commit.fsync === 'never') return;
  await file.sync('take over: the mailbox, before the drop is emptied');
  try {
    await place.surroundings.files.syncFolder(dirname(place.path), "take over: the mailbox's name");
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
  }
}
