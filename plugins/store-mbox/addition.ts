import { Failure, type NewMessage } from 'popperd';

import { canonicalOf, sha256 } from './canonical.ts';
import { appendMessages, errorCode, type OpenFile } from './commit/index.ts';
import { currentIndex } from './current-index.ts';
import { lockMailbox, type LockedMailbox } from './mailbox-lock.ts';
import type { Mailbox } from './mailbox.ts';
import { composeMessage, keyIn } from './new-message.ts';
import type { Place } from './place.ts';
import { failingAs, recoverLocked } from './recovery.ts';
import type { Rows } from './rows.ts';
import { Copies } from './uids.ts';

/**
 * Adds messages at the mailbox's end, durably, all or none; makes the mailbox if there is none. One that is there
 * already, with the same key, is not added again. Throws a Failure (SYS/TEMP or SYS/PERM).
 */
export async function addMessages(mailbox: Mailbox, messages: readonly NewMessage[]): Promise<void> {
  const locked = await lockOrCreate(mailbox.place);
  try {
    const { file } = locked;
    await recoverLocked(mailbox.place, file);
    const known = await currentIndex(mailbox, file);
    const content = await newContent(file, known.rows, messages);
    if (content.length === 0) return;
    const { path, commit } = mailbox.place;
    const lead = await missingLineEnds(file);
    await failingAs(() => appendMessages({ path, file }, Buffer.concat([lead, ...content]), commit));
    await mailbox.survey(file, { stat: await file.stat(), isBeingWritten: false });
  } finally {
    await locked.release();
  }
}

/** Locks the mailbox, and makes it first if there is none. Throws a Failure. */
export async function lockOrCreate(place: Place): Promise<LockedMailbox> {
  const { path, trust, locks } = place;
  const locked = await lockMailbox(path, trust, locks);
  if (locked !== undefined) return locked;
  await create(place);
  const created = await lockMailbox(path, trust, locks);
  if (created !== undefined) return created;
  throw new Failure('the maildrop is gone, try again', {
    code: 'SYS/TEMP',
    cause: new Error(`${path}: removed`),
  });
}

async function create({ path, surroundings }: Place): Promise<void> {
  try {
    const file = await surroundings.files.open(path, 'create');
    await file.close();
  } catch (error) {
    // Mail may have been delivered just now.
    if (errorCode(error) === 'EEXIST') return;
    throw new Failure('the maildrop cannot be made', { code: 'SYS/PERM', cause: error });
  }
}

/** The text of those that are not there yet. */
async function newContent(
  file: OpenFile,
  rows: Rows,
  messages: readonly NewMessage[],
): Promise<readonly Uint8Array[]> {
  const copies = new Copies(rows);
  const content: Uint8Array[] = [];
  for (const message of messages) {
    const { envelope, text } = composeMessage(message);
    const twins = copies.of(sha256(canonicalOf(envelope, text)));
    if (await hasKey(file, rows, twins, message.key)) continue;
    content.push(envelope, text, emptyLine);
  }
  return content;
}

const emptyLine = Buffer.from('\n');

/** Two different messages may say the same, so the digest alone does not tell. */
async function hasKey(file: OpenFile, rows: Rows, indexes: readonly number[], key: string): Promise<boolean> {
  for (const index of indexes) {
    const start = Buffer.alloc(Math.min(rows.contentOctetsOf(index), maxKeyOctets));
    await file.read(start, rows.offsetOf(index) + rows.envelopeOctetsOf(index));
    if (keyIn(start) === key) return true;
  }
  return false;
}

/** The key is the first field. */
const maxKeyOctets = 1024;

/** What the mailbox lacks at its end for a From_ line to be seen behind it. */
export async function missingLineEnds(file: OpenFile): Promise<Buffer> {
  const { octets } = await file.stat();
  const end = Buffer.alloc(Math.min(octets, 3));
  await file.read(end, octets - end.length);
  const text = end.toString('latin1');
  if (octets === 0 || /\n\r?\n$/.test(text) || /^\r?\n$/.test(text)) return Buffer.of();
  return Buffer.from(text.endsWith('\n') ? '\n' : '\n\n');
}
