import { setTimeout as sleep } from 'node:timers/promises';

import { Failure, lockFile } from 'popperd';

import type { Files, OpenFile } from './commit/index.ts';
import { type Dotlock, type DotlockAttempt, tryDotlock } from './dotlock.ts';
import type { LockNote } from './lock-note.ts';
import type { LockMethod } from './options.ts';
import { isSameInode, openSpoolFile, type Trust } from './spool-file.ts';

export interface LockSettings {
  readonly files: Files;
  readonly lockMethods: readonly LockMethod[];
  readonly lockTimeoutMs: number;
  readonly staleDotlockMs: number;
  /** Told when the spool folder lets nobody make a dotlock. */
  readonly onForbidden: (mailboxPath: string) => void;
  /** Stands while a dotlock is held or tried for. */
  readonly note?: LockNote;
  /** Told when a lock could not be let go. */
  readonly onLeftLocked?: (mailboxPath: string, error: unknown) => void;
}

/** The mailbox, open for writing and locked against all other programs. */
export interface LockedMailbox {
  readonly file: OpenFile;
  /** Lets go of the locks and closes the file. Never fails: what was done under them stands. */
  release(): Promise<void>;
}

/**
 * Takes all locks, or none: while one of them is not to be had, none is held, for other programs take them in another
 * order and would wait for ours. undefined if there is no mailbox. Throws a Failure with `busyCode` after the
 * time-out.
 */
export async function lockMailbox(
  path: string,
  trust: Trust,
  settings: LockSettings,
  busyCode: BusyCode = 'SYS/TEMP',
): Promise<LockedMailbox | undefined> {
  const deadlineMs = performance.now() + settings.lockTimeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    const locked = await tryLocks(path, trust, settings);
    if (locked !== 'busy') return locked;
    await waitToRetry(path, { attempt, deadlineMs, busyCode });
  }
}

/**
 * The mailbox, open for reading and locked against writers; never by a dotlock. undefined if there is none. Throws a
 * Failure with `busyCode` after the time-out.
 */
export async function lockMailboxShared(
  path: string,
  trust: Trust,
  settings: LockSettings,
  busyCode: BusyCode = 'SYS/TEMP',
): Promise<LockedMailbox | undefined> {
  const deadlineMs = performance.now() + settings.lockTimeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    const file = await openSpoolFile(settings.files, path, 'read', trust);
    if (file === undefined) return undefined;
    let isLocked = false;
    try {
      isLocked = await trySharedLock(path, file, settings);
      if (isLocked) return { file, release: () => file.close() };
    } finally {
      if (!isLocked) await file.close();
    }
    await waitToRetry(path, { attempt, deadlineMs, busyCode });
  }
}

/** RFC 2449 section 8 has a code of its own for a login that meets a locked maildrop. */
export type BusyCode = 'SYS/TEMP' | 'IN-USE';

/** Long enough for a slow commit not to be taken for a dead one's. */
const refreshMs = 30_000;

async function trySharedLock(
  path: string,
  file: OpenFile,
  { lockMethods, files }: LockSettings,
): Promise<boolean> {
  if (lockMethods.includes('fcntl') && !lockFile(file.descriptor, 'shared')) return false;
  return isStillTheMailbox(path, file, files);
}

/** What one attempt has got so far. */
interface Held {
  file?: OpenFile | undefined;
  dotlock?: Dotlock | undefined;
}

async function tryLocks(
  path: string,
  trust: Trust,
  settings: LockSettings,
): Promise<LockedMailbox | undefined | 'busy'> {
  const held: Held = {};
  let locked: LockedMailbox | undefined | 'busy';
  try {
    locked = await tryEach(path, trust, settings, held);
    return locked;
  } finally {
    if (locked === undefined || locked === 'busy') {
      await held.file?.close();
      await held.dotlock?.release();
      if (settings.lockMethods.includes('dotlock')) await settings.note?.remove();
    }
  }
}

async function tryEach(
  path: string,
  trust: Trust,
  settings: LockSettings,
  held: Held,
): Promise<LockedMailbox | undefined | 'busy'> {
  for (const method of settings.lockMethods) {
    if (method === 'dotlock') {
      const attempt = await tryNotedDotlock(path, settings);
      if (attempt === 'busy') return 'busy';
      if (attempt === 'forbidden') doWithoutDotlock(path, settings);
      else held.dotlock = attempt;
    } else {
      held.file = await openSpoolFile(settings.files, path, 'read-write', trust);
      if (held.file === undefined) return undefined;
      if (!lockFile(held.file.descriptor, 'exclusive')) return 'busy';
    }
  }
  const file = held.file ?? (await openSpoolFile(settings.files, path, 'read-write', trust));
  held.file = file;
  if (file === undefined) return undefined;
  return (await isStillTheMailbox(path, file, settings.files))
    ? hold(path, file, held.dotlock, settings)
    : 'busy';
}

async function tryNotedDotlock(path: string, settings: LockSettings): Promise<DotlockAttempt> {
  await settings.note?.write();
  return tryDotlock(settings.files, path, settings.staleDotlockMs);
}

function doWithoutDotlock(path: string, { lockMethods, onForbidden }: LockSettings): void {
  if (lockMethods.includes('fcntl')) return onForbidden(path);
  throw new Failure('the maildrop cannot be locked', {
    code: 'SYS/PERM',
    cause: new Error(`${path}: its folder lets nobody make a dotlock, and lockMethods names no other lock`),
  });
}

function hold(
  path: string,
  file: OpenFile,
  dotlock: Dotlock | undefined,
  { lockMethods, note, onLeftLocked }: LockSettings,
): LockedMailbox {
  const left = (error: unknown): void => onLeftLocked?.(path, error);
  // A refresh that fails leaves the lock as it is, and the release will tell.
  const refresh = dotlock && setInterval(() => void dotlock.refresh().catch(() => {}), refreshMs);
  refresh?.unref();
  return {
    file,
    async release() {
      clearInterval(refresh);
      // The kernel's lock first: whoever takes the dotlock then finds the mailbox free.
      await file.close().catch(left);
      try {
        await dotlock?.release();
        if (lockMethods.includes('dotlock')) await note?.remove();
      } catch (error) {
        // The note stays, for the next start.
        left(error);
      }
    },
  };
}

/** While the lock was not yet held, the name may have been given to another file. */
async function isStillTheMailbox(path: string, file: OpenFile, files: Files): Promise<boolean> {
  const stat = await file.stat();
  return stat.nlink === 1 && isSameInode(stat, await files.lstat(path));
}

async function waitToRetry(
  path: string,
  { attempt, deadlineMs, busyCode }: { attempt: number; deadlineMs: number; busyCode: BusyCode },
): Promise<void> {
  const longestMs = Math.min(200, 20 * 1.5 ** attempt);
  const waitMs = Math.max(20, Math.random() * longestMs);
  if (performance.now() + waitMs > deadlineMs) {
    throw new Failure('another program is using the maildrop, try again', {
      code: busyCode,
      cause: new Error(`${path}: still locked by another program after the option lockTimeoutMs`),
    });
  }
  await sleep(waitMs);
}
