// Over 250 lines: taking two locks or none, and letting go of both, read best beside each other.
import { setTimeout as sleep } from 'node:timers/promises';

import { Failure, lockFile, unlockFile } from 'popperd';

import { errorCode, type Files, type FileStat, isStale, type OpenFile } from './commit/index.ts';
import { type Dotlock, type DotlockAttempt, dotlockPathOf } from './dotlock.ts';
import type { LockMethod } from './options.ts';
import { isSameInode, openTrusted, type SpoolFile, type Trust } from './spool-file.ts';

export interface LockSettings {
  readonly files: Files;
  readonly lockMethods: readonly LockMethod[];
  readonly lockTimeoutMs: number;
  readonly staleDotlockMs: number;
  /** Told when the spool folder lets nobody make a dotlock. */
  readonly onForbidden: (mailboxPath: string) => void;
  /** Tries once, by whoever may: this process, or another for it. Throws system errors, and then none is held. */
  readonly tryDotlock: (mailboxPath: string) => Promise<DotlockAttempt>;
  /** Told when a lock could not be let go. */
  readonly onLeftLocked?: (mailboxPath: string, error: unknown) => void;
  /** Told when another program took our dotlock for one left behind, and broke it while we worked. */
  readonly onTaken?: (mailboxPath: string) => void;
}

/** The mailbox, open for writing and locked against all other programs. */
export interface LockedMailbox {
  readonly file: OpenFile;
  /** Lets go of the locks and closes the file. Never fails: what was done under them stands. */
  release(): Promise<void>;
}

/** The mailbox, open for reading and locked against writers. */
export interface SharedMailbox extends LockedMailbox {
  /** As it has been since it was locked. */
  readonly stat: FileStat;
  /** Lets go of the lock and leaves the file open, for the caller to close. */
  readonly unlock: () => void;
}

/**
 * Takes all locks, or none: while one of them is not to be had, none is held, for other programs take them in another
 * order and would wait for ours. undefined if there is no mailbox. Throws a Failure with `busyCode` after the
 * time-out, and one with SYS/TEMP if the system fails.
 */
export async function lockMailbox(
  path: string,
  trust: Trust,
  settings: LockSettings,
  busyCode: BusyCode = 'SYS/TEMP',
): Promise<LockedMailbox | undefined> {
  return whenFree(path, { ...settings, busyCode }, () => tryLocks(path, trust, settings));
}

/** Never by a dotlock. undefined if there is no mailbox. Throws a Failure with `busyCode` after the time-out. */
export async function lockMailboxShared(
  path: string,
  trust: Trust,
  settings: LockSettings,
  busyCode: BusyCode = 'SYS/TEMP',
): Promise<SharedMailbox | undefined> {
  return whenFree(path, { ...settings, busyCode }, () => tryShared(path, trust, settings));
}

type Waiting = Pick<LockSettings, 'lockTimeoutMs'> & { readonly busyCode: BusyCode };

/**
 * What an attempt comes to that finds no other program there. On NFS a file that another host has just replaced is not to be had
 * any more by who has opened it (ESTALE): then it is opened once more.
 */
async function whenFree<T>(path: string, waiting: Waiting, attempt: () => Promise<T | 'busy'>): Promise<T> {
  const { lockTimeoutMs, busyCode } = waiting;
  const deadlineMs = performance.now() + lockTimeoutMs;
  let wasStale = false;
  for (let count = 0; ; count += 1) {
    const locked = await failingAsLock(
      path,
      attempt().catch((error: unknown): 'stale' => {
        if (wasStale || !isStale(error)) throw error;
        wasStale = true;
        return 'stale';
      }),
    );
    if (locked === 'stale') continue;
    if (locked !== 'busy') return locked;
    await waitToRetry(path, { attempt: count, deadlineMs, lockTimeoutMs, busyCode });
  }
}

/** RFC 2449 section 8 has a code of its own for a login that meets a locked maildrop. */
export type BusyCode = 'SYS/TEMP' | 'IN-USE';

/** Long enough for a slow commit not to be taken for a dead one's. */
const refreshMs = 30_000;

/** What the system says is for the log; a Failure says itself what the client shall hear. */
async function failingAsLock<T>(path: string, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (errorCode(error) === undefined || error instanceof Failure) throw error;
    const cause = new Error(`${path}: the system failed while it was being locked`, { cause: error });
    throw new Failure('the maildrop cannot be locked, try again', { code: 'SYS/TEMP', cause });
  }
}

async function tryShared(
  path: string,
  trust: Trust,
  { lockMethods, files, onLeftLocked }: LockSettings,
): Promise<SharedMailbox | undefined | 'busy'> {
  const opened = await openTrusted(files, path, 'read', trust);
  if (opened === undefined) return undefined;
  const { file } = opened;
  const byFcntl = lockMethods.includes('fcntl');
  const release = (): Promise<void> => file.close().catch((error: unknown) => onLeftLocked?.(path, error));
  let stat: FileStat | undefined;
  try {
    const isLocked = !byFcntl || lockFile(file.descriptor, 'shared');
    if (isLocked) stat = await mailboxStat(path, opened, files);
  } finally {
    if (stat === undefined) await release();
  }
  const unlock = (): void => {
    if (byFcntl) unlockFile(file.descriptor);
  };
  return stat === undefined ? 'busy' : { file, stat, release, unlock };
}

/** What one attempt has got so far. */
interface Held {
  opened?: SpoolFile | undefined;
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
    if (locked === undefined || locked === 'busy') await letGo(path, held, settings);
  }
}

async function tryEach(
  path: string,
  trust: Trust,
  settings: LockSettings,
  held: Held,
): Promise<LockedMailbox | undefined | 'busy'> {
  for (const method of settings.lockMethods) {
    const tried = await (method === 'dotlock' ? tryDotlock : tryFcntl)(path, settings, held, trust);
    if (tried !== 'held') return tried === 'busy' ? 'busy' : undefined;
  }
  held.opened ??= await openTrusted(settings.files, path, 'read-write', trust);
  const { opened } = held;
  if (opened === undefined) return undefined;
  const stat = await mailboxStat(path, opened, settings.files);
  return stat === undefined ? 'busy' : hold(path, opened.file, held, settings);
}

/** `missing`: no mailbox, or not even its folder. */
type Tried = 'held' | 'busy' | 'missing';

async function tryDotlock(path: string, settings: LockSettings, held: Held): Promise<Tried> {
  const attempt = await settings.tryDotlock(path);
  if (attempt === 'busy' || attempt === 'missing') return attempt;
  if (attempt === 'forbidden') doWithoutDotlock(path, settings);
  else held.dotlock = attempt;
  return 'held';
}

async function tryFcntl(path: string, { files }: LockSettings, held: Held, trust: Trust): Promise<Tried> {
  held.opened = await openTrusted(files, path, 'read-write', trust);
  if (held.opened === undefined) return 'missing';
  return lockFile(held.opened.file.descriptor, 'exclusive') ? 'held' : 'busy';
}

function doWithoutDotlock(path: string, { lockMethods, onForbidden }: LockSettings): void {
  if (lockMethods.includes('fcntl')) return onForbidden(path);
  throw new Failure('the maildrop cannot be locked', {
    code: 'SYS/PERM',
    cause: new Error(`${path}: its folder lets nobody make a dotlock, and lockMethods names no other lock`),
  });
}

function hold(path: string, file: OpenFile, held: Held, settings: LockSettings): LockedMailbox {
  const refreshing = held.dotlock && setInterval(refresherOf(held.dotlock), refreshMs);
  refreshing?.unref();
  let released: Promise<void> | undefined;
  return {
    file,
    release() {
      clearInterval(refreshing);
      // Once: the numbers of closed files and removed inodes are given to others.
      return (released ??= letGo(path, held, settings));
    },
  };
}

/** On a disk that hangs there is one call at a time. */
function refresherOf(dotlock: Dotlock): () => void {
  let isBusy = false;
  return () => {
    if (isBusy) return;
    isBusy = true;
    // A refresh that fails leaves the lock as it is, and the release will tell.
    void dotlock
      .refresh()
      .catch(() => {})
      .finally(() => (isBusy = false));
  };
}

/** Each lock although another could not be let go. */
async function letGo(path: string, { opened, dotlock }: Held, settings: LockSettings): Promise<void> {
  const { onLeftLocked, onTaken } = settings;
  // The kernel's lock first: whoever takes the dotlock then finds the mailbox free.
  await opened?.file.close().catch((error: unknown) => onLeftLocked?.(path, error));
  try {
    if ((await dotlock?.release()) === 'taken') onTaken?.(path);
  } catch (error) {
    onLeftLocked?.(path, error);
  }
}

/**
 * What is known of the mailbox now that it is locked. undefined if the name was given to another file, or the file
 * another name, before it was.
 */
async function mailboxStat(path: string, { stat }: SpoolFile, files: Files): Promise<FileStat | undefined> {
  const now = await files.lstat(path);
  return now?.nlink === 1 && isSameInode(stat, now) ? now : undefined;
}

interface Patience {
  readonly attempt: number;
  readonly deadlineMs: number;
  readonly lockTimeoutMs: number;
  readonly busyCode: BusyCode;
}

async function waitToRetry(path: string, patience: Patience): Promise<void> {
  const { attempt, deadlineMs, lockTimeoutMs, busyCode } = patience;
  const longestMs = Math.min(200, 20 * 1.5 ** attempt);
  const waitMs = Math.max(20, Math.random() * longestMs);
  if (performance.now() + waitMs > deadlineMs) {
    throw new Failure('another program is using the maildrop, try again', {
      code: busyCode,
      cause: new Error(
        `${path}: another program kept it locked for ${lockTimeoutMs} ms, by fcntl or with ${dotlockPathOf(path)}`,
      ),
    });
  }
  await sleep(waitMs);
}
