import { randomBytes } from 'node:crypto';

import type { Durability } from './durability.ts';
import { CommitError } from './errors.ts';
import { digestOf } from './fields.ts';
import { errorCode, type OpenFile } from './files.ts';
import { encodeBody, type Header, isPlausible } from './format.ts';
import { defaultBlockOctets, headerOctets, Journal, journalPathOf, openDone } from './journal.ts';
import type { CommitSettings, Mailbox } from './settings.ts';

/** What a commit wants to do, before it knows its journal. */
export interface Plan extends Pick<Header, 'kind' | 'mailboxOctets' | 'changeStart' | 'kept'> {
  readonly mailbox: Mailbox;
  /** Largest image of a step. */
  readonly chunkOctets: number;
  /** Whether smaller steps do as well, where the journal has no room for larger ones. */
  readonly divisible: boolean;
  /** Octets in all; two slots are needed if they exceed a chunk. */
  readonly octets: number;
}

/** `decide` writes header and first record; what it answers is handed on. */
export interface Begun<T> {
  readonly journal: Journal;
  readonly decided: T;
}

/**
 * Makes a journal and lets `decide` write its header and first record. When this returns, the change is decided; when it
 * throws, it says whether nothing happened. On a full disk all is tried again in a journal of the reserve.
 */
export async function begin<T>(
  plan: Plan,
  settings: CommitSettings,
  durability: Durability,
  decide: (journal: Journal) => Promise<T>,
): Promise<Begun<T>> {
  try {
    return await attempt(await freshJournal(plan, settings), durability, decide);
  } catch (error) {
    const { path } = plan.mailbox;
    const failure = error instanceof CommitError ? error : new CommitError('untouched', path, error);
    if (failure.state !== 'untouched' || !isFull(failure.cause)) throw failure;
    const borrowed = await borrowedJournal(plan, settings).catch((cause: unknown) => {
      throw new CommitError('untouched', path, cause);
    });
    if (borrowed === undefined) throw failure;
    return await attempt(borrowed, durability, decide);
  }
}

async function attempt<T>(
  journal: Journal,
  durability: Durability,
  decide: (journal: Journal) => Promise<T>,
): Promise<Begun<T>> {
  try {
    const decided = await decide(journal);
    // The commit point: from here on a recovery goes forward.
    await journal.sync(durability, 'begin: the first record, which decides');
    if (!journal.isNamed) await durability.name('begin: the name of the journal');
    return { journal, decided };
  } catch (error) {
    const sure = await journal.abandon(durability);
    throw new CommitError(sure ? 'untouched' : 'pending', journal.header.mailboxPath, error);
  }
}

async function freshJournal(plan: Plan, settings: CommitSettings): Promise<Journal> {
  const path = journalPathOf(settings.journalFolder, plan.mailbox.path);
  const done = await openDone(path, settings);
  // A pending one is not ours to replace: only recovery knows what it is for.
  const file = done ?? (await settings.files.open(path, 'create'));
  return await journalIn(file, path, { plan, settings, borrowed: false, isNamed: done !== undefined });
}

async function borrowedJournal(plan: Plan, settings: CommitSettings): Promise<Journal | undefined> {
  const path = journalPathOf(settings.journalFolder, plan.mailbox.path);
  if (settings.reserve === undefined || !(await settings.reserve.lend(path))) return undefined;
  try {
    const file = await settings.files.open(path, 'read-write');
    return await journalIn(file, path, { plan, settings, borrowed: true, isNamed: false });
  } catch (error) {
    await settings.reserve.giveBack(path);
    throw error;
  }
}

interface JournalUse {
  readonly plan: Plan;
  readonly settings: CommitSettings;
  readonly borrowed: boolean;
  readonly isNamed: boolean;
}

async function journalIn(file: OpenFile, path: string, use: JournalUse): Promise<Journal> {
  try {
    const header = await headerFor(file, use);
    return new Journal(path, file, { header, settings: use.settings, isNamed: use.isNamed });
  } catch (error) {
    await file.close();
    if (!use.borrowed) await use.settings.files.unlink(path);
    throw error;
  }
}

async function headerFor(file: OpenFile, { plan, settings, borrowed }: JournalUse): Promise<Header> {
  const { dev, ino } = await plan.mailbox.file.stat();
  const header: Header = {
    kind: plan.kind,
    done: false,
    borrowed,
    blockOctets: settings.blockOctets ?? defaultBlockOctets,
    chunkOctets: plan.chunkOctets,
    transaction: randomBytes(16),
    boot: await bootMark(settings),
    dev,
    ino,
    mailboxOctets: plan.mailboxOctets,
    changeStart: plan.changeStart,
    mailboxPath: plan.mailbox.path,
    kept: plan.kept,
  };
  const body = encodeBody(header);
  if (!isPlausible({ ...header, bodyOctets: body.length })) {
    throw new RangeError(
      'no journal can be that large: too many kept pieces, or too long an append or chunk',
    );
  }
  if (!borrowed) return header;
  const room = (await file.stat()).octets - headerOctets(body, header.blockOctets);
  return { ...header, chunkOctets: chunkThatFits(header, plan, room) };
}

function chunkThatFits({ blockOctets, chunkOctets }: Header, plan: Plan, room: number): number {
  if (plan.octets <= chunkOctets && blockOctets + chunkOctets <= room) return chunkOctets;
  const fitting = Math.min(chunkOctets, Math.floor(room / 2) - blockOctets);
  if (plan.divisible && fitting > 0) return fitting;
  throw new Error('the disk is full, and the journals in reserve are too small for this commit');
}

/** Not the id itself: its form is the system's matter. Zeros mean unknown. */
export async function bootMark({ files }: CommitSettings): Promise<Uint8Array> {
  const id = await files.bootId();
  return id === undefined ? new Uint8Array(16) : digestOf(Buffer.from(id)).subarray(0, 16);
}

function isFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
