import { dirname } from 'node:path';

import { Failure } from 'popperd';

import { CommitError, type OpenFile, pendingJournals, recoverMailbox } from './commit/index.ts';
import { clearLeftLocks } from './lock-note.ts';
import { type BusyCode, lockMailbox } from './mailbox-lock.ts';
import { journalFolderOf, type Place, placeOf, spoolFolderOf, type Surroundings, trustOf } from './place.ts';

/** Finishes what dead processes left in all mailboxes of this uid. One that cannot be finished now is logged. */
export async function recoverAll(uid: number, folder: string, surroundings: Surroundings): Promise<void> {
  const { files, log } = surroundings;
  const journalFolder = journalFolderOf(folder);
  try {
    await recoverJournals(uid, folder, surroundings);
  } finally {
    // Behind the journals, whose mailboxes nobody should see half changed.
    await clearLeftLocks(files, journalFolder).catch((error: unknown) => {
      log.warn('locks that a dead process left could not be taken away; mail may be late', { error });
    });
  }
}

async function recoverJournals(uid: number, folder: string, surroundings: Surroundings): Promise<void> {
  const { files, options, log } = surroundings;
  for (const { journalPath, mailboxPath } of await pendingJournals(files, journalFolderOf(folder))) {
    // Without a readable header nothing was changed; the mailbox's next login takes it away.
    if (mailboxPath === undefined) continue;
    try {
      const trust = await trustOf(spoolFolderOf(options.spool, dirname(mailboxPath)), uid, surroundings);
      await recoverPlace(hurried(placeOf(mailboxPath, trust, folder, surroundings)));
    } catch (error) {
      log.error('a deletion cannot be finished yet; the next login tries again', {
        path: mailboxPath,
        journal: journalPath,
        error,
      });
    }
  }
}

/** All users wait for the start, and anybody can hold up a mailbox in a spool where all may make locks. */
const hurried = (place: Place): Place => {
  const { locks } = place;
  return { ...place, locks: { ...locks, lockTimeoutMs: Math.min(locks.lockTimeoutMs, startPatienceMs) } };
};

const startPatienceMs = 1000;

/** Finishes what a dead process left in one mailbox. Throws a Failure (SYS/TEMP) if it cannot be done now. */
export async function recoverPlace(place: Place, busyCode?: BusyCode): Promise<void> {
  const locked = await lockMailbox(place.path, place.trust, place.locks, busyCode);
  if (locked === undefined) {
    place.surroundings.log.warn('a deletion was not finished, and its mailbox is gone', { path: place.path });
    return;
  }
  try {
    await recoverLocked(place, locked.file);
  } finally {
    await locked.release();
  }
}

/** The same for the holder of the mailbox locks; costs one look for a name where there is nothing to do. */
export async function recoverLocked(place: Place, file: OpenFile): Promise<void> {
  const { path, surroundings } = place;
  const recovery = await failingAs(() => recoverMailbox({ path, file }, place.commit));
  if (recovery.kind === 'none') return;
  if (recovery.kind !== 'conflict') {
    surroundings.log.info('an unfinished deletion was dealt with', { path, how: recovery.kind });
    return;
  }
  surroundings.log.error('a deletion was not finished before the mailbox was replaced; look at both', {
    path,
    journal: recovery.keptPath,
  });
}

/** Runs a commit or a recovery, and says what its failure means to the client. */
export async function failingAs<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommitError)) throw error;
    throw new Failure(meanings[error.state], { code: 'SYS/TEMP', cause: error });
  }
}

/** Whether the mailbox was left with a change that is not finished. */
export const isPending = (error: unknown): boolean =>
  error instanceof Failure && error.cause instanceof CommitError && error.cause.state === 'pending';

/** Whether nothing of a commit was done, and nothing ever will be. */
export const isUntouched = (error: unknown): boolean =>
  error instanceof Failure && error.cause instanceof CommitError && error.cause.state === 'untouched';

const meanings = {
  untouched: 'the maildrop could not be changed, nothing was done',
  pending: 'the change is not finished, log in again',
  unsynced: 'the change was made, but the disk did not confirm it',
} as const;
