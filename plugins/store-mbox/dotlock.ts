// Over 250 lines: making, recognising and taking away a dotlock are one protocol, and read best beside each other.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { Failure, lockFile, type SpoolLock, type SpoolLockAttempt } from 'popperd';

import { errorCode, type Files, type FileStat, type OpenFile } from './commit/index.ts';
import { isSameInode } from './spool-file.ts';
import { WallClock } from './wall-clock.ts';

/** A dotlock held. */
export type Dotlock = SpoolLock;

/** `missing`: there is no such folder, or, where that had to be looked at, no such mailbox. */
export type DotlockAttempt = SpoolLockAttempt;

/** The name that all mail programs agree on. */
export const dotlockPathOf = (mailboxPath: string): string => `${mailboxPath}.lock`;

/** The mailbox whose dotlock would be there; undefined for a path that is none's. */
export const mailboxPathOfDotlock = (path: string): string | undefined => /^(.+[^/])\.lock$/s.exec(path)?.[1];

/** Whether another program has the dotlock. Throws a Failure (SYS/TEMP) if that cannot be found out. */
export async function isDotlocked(files: Files, mailboxPath: string, staleMs: number): Promise<boolean> {
  try {
    const stat = await files.lstat(dotlockPathOf(mailboxPath));
    return stat !== undefined && Date.now() - mtimeMs(stat) < staleMs;
  } catch (cause) {
    throw new Failure('the maildrop cannot be looked at, try again', { code: 'SYS/TEMP', cause });
  }
}

/**
 * Tries once to take the dotlock: a file of its own, then a link to it under the lock's name, which also works over NFS.
 * A lock that nobody can be holding any more is taken away. Throws system errors; then none is held.
 */
export async function tryDotlock(
  files: Files,
  mailboxPath: string,
  staleMs: number,
): Promise<DotlockAttempt> {
  // After a jump of the clock nothing is old.
  const patienceMs = clock.isSteadyFor(staleMs) ? staleMs : Number.POSITIVE_INFINITY;
  const first = await tryOnce(files, mailboxPath, patienceMs);
  const attempt = first === 'cleared' ? await tryOnce(files, mailboxPath, patienceMs) : first;
  return attempt === 'cleared' ? 'busy' : attempt;
}

/**
 * Takes away the dotlock and the file beside it that a dead popper of this user and host left, so that nobody has to
 * wait until they are old. Never anything else. Throws system errors.
 */
export async function clearLeftBehind(files: Files, mailboxPath: string): Promise<void> {
  const [lockPath, ownPath] = [dotlockPathOf(mailboxPath), ownPathOf(mailboxPath)];
  // Before the lock: were both names of one file, the lock could not be given the other (rename(2) does nothing then).
  const own = await files.lstat(ownPath);
  if (own !== undefined && (await isLeftByPopper(files, ownPath, own))) await files.unlink(ownPath);
  const lock = await files.lstat(lockPath);
  if (lock !== undefined && (await isLeftByPopper(files, lockPath, lock, isLockOfHere))) {
    await takeAway(files, lockPath, lock, ownPath);
  }
}

/**
 * Goes on with the dotlock that a popper of this user and host had when it died, for the one whose work it guards has not:
 * it is never free in between. undefined where there is none such. Throws system errors; then it is as it was.
 */
export async function resumeDotlock(files: Files, mailboxPath: string): Promise<Dotlock | undefined> {
  const lockPath = dotlockPathOf(mailboxPath);
  const stat = await files.lstat(lockPath);
  if (stat === undefined || !isFileOfOurs(stat)) return undefined;
  const file = await files.open(lockPath, 'read-write');
  const own = { path: lockPath, file, content: newContent() };
  let isResumed = false;
  try {
    isResumed = (await isToBeResumed(files, own, stat)) && (await overwrite(own, stat.octets));
  } finally {
    if (!isResumed) await file.close();
  }
  if (!isResumed) return undefined;
  return { refresh: () => refresh(own), release: () => release(files, lockPath, file, stat) };
}

/** The kernel's lock on it is ours then. A disk may have been too full to write into it. */
async function isToBeResumed(files: Files, { path, file }: OwnFile, stat: FileStat): Promise<boolean> {
  const text = await textOf(file);
  const isRight = (text === '' || isLockOfHere(text)) && isSameInode(stat, await file.stat());
  if (!isRight || isKernelLocked(file, 'exclusive')) return false;
  return isSameInode(stat, await files.lstat(path));
}

/** Who has it from now on. */
async function overwrite(own: OwnFile, octets: number): Promise<true> {
  await refresh(own);
  if (own.content.length < octets) await own.file.truncate(own.content.length);
  return true;
}

async function tryOnce(
  files: Files,
  mailboxPath: string,
  staleMs: number,
): Promise<DotlockAttempt | 'cleared'> {
  const lockPath = dotlockPathOf(mailboxPath);
  const own = await makeOwn(files, mailboxPath);
  if (own === 'forbidden') return withoutOwn(files, lockPath, staleMs);
  if (typeof own === 'string') return own;
  let taken: FileStat | NotTaken = 'busy';
  try {
    taken = await takeName(files, own, lockPath, staleMs);
  } finally {
    // What stays here for an error is taken away by the next one.
    await quietly(files.unlink(own.path));
    if (typeof taken === 'string') await giveUp(files, own, lockPath);
  }
  if (typeof taken === 'string') return taken;
  const stat = taken;
  return { refresh: () => refresh(own), release: () => release(files, lockPath, own.file, stat) };
}

/** `cleared`: a lock that was left behind has gone, and our own file with it. */
type NotTaken = 'busy' | 'forbidden' | 'cleared';

/**
 * A file to be linked. While it is open the kernel has it locked, and lets go when this process dies: whoever finds it
 * without that lock knows. Pids do not tell: they are given anew, and mean nothing in another container.
 */
interface OwnFile {
  readonly path: string;
  readonly file: OpenFile;
  readonly content: Buffer;
}

/** One name a mailbox and host, so that crashes leave at most one such file behind. */
const ownPathOf = (mailboxPath: string): string =>
  join(dirname(mailboxPath), `.${basename(mailboxPath)}.popper-lock.${hostname()}`);

async function makeOwn(
  files: Files,
  mailboxPath: string,
): Promise<OwnFile | 'busy' | 'forbidden' | 'missing'> {
  const created = await createOwn(files, mailboxPath);
  if (typeof created === 'string') return created;
  const { path, file } = created;
  const content = newContent();
  try {
    // Not free for a moment if another process asks whether it was left behind.
    if (!isKernelLocked(file, 'exclusive')) {
      await writeOwner(file, content);
      return { path, file, content };
    }
  } catch (error) {
    await quietly(files.unlink(path));
    await quietly(file.close());
    throw error;
  }
  await quietly(files.unlink(path));
  await file.close();
  return 'busy';
}

/** Who has a lock, and which one it is. */
const newContent = (): Buffer =>
  Buffer.from(`${process.pid} ${hostname()} ${randomBytes(16).toString('hex')}\n`);

interface Created {
  readonly path: string;
  readonly file: OpenFile;
}

async function createOwn(files: Files, mailboxPath: string): Promise<Created | 'forbidden' | 'missing'> {
  const path = ownPathOf(mailboxPath);
  try {
    return { path, file: await files.open(path, 'create') };
  } catch (error) {
    if (isForbidden(error)) return 'forbidden';
    if (errorCode(error) === 'ENOENT') return 'missing';
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  await removeOwn(files, path);
  return createAgain(files, path);
}

async function removeOwn(files: Files, path: string): Promise<void> {
  const stat = await files.lstat(path);
  if (stat !== undefined && (await isLeftByPopper(files, path, stat))) {
    await quietly(files.unlink(path));
  }
}

async function createAgain(files: Files, path: string): Promise<Created> {
  try {
    return { path, file: await files.open(path, 'create') };
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  // Another daemon may be at it, or a stranger who wants to keep us from locking: a name that neither can know.
  const otherPath = `${path}.${randomBytes(8).toString('hex')}`;
  return { path: otherPath, file: await files.open(otherPath, 'create') };
}

/** On a full disk the lock stays empty: it locks as well, only a dead owner is then known by nothing but its age. */
async function writeOwner(file: OpenFile, content: Buffer): Promise<void> {
  try {
    await file.write(content, 0);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

/** The inode that the lock's name leads to now, which is ours. */
async function takeName(
  files: Files,
  own: OwnFile,
  lockPath: string,
  staleMs: number,
): Promise<FileStat | NotTaken> {
  const { stat, lock } = await tryLink(files, own, lockPath);
  if (lock === 'forbidden') return 'forbidden';
  if (isSameInode(stat, lock)) return stat;
  // Both times are those of the file system, whose clock may be another host's.
  const isOld = lock !== undefined && mtimeMs(stat) - mtimeMs(lock) >= staleMs;
  if (lock === undefined || !(await isLeft(files, lockPath, lock, isOld))) return 'busy';
  return (await takeAway(files, lockPath, lock, own.path)) ? 'cleared' : 'busy';
}

interface Linked {
  readonly stat: FileStat;
  /** What has the lock's name. */
  readonly lock: FileStat | 'forbidden' | undefined;
}

/**
 * Where link(2) fails the link may have been made all the same, when an answer of NFS got lost. A count of names does not
 * tell, since a stranger can raise it; what has the lock's name does.
 */
async function tryLink(files: Files, { path, file }: OwnFile, lockPath: string): Promise<Linked> {
  let failure: unknown;
  try {
    await files.link(path, lockPath);
  } catch (error) {
    failure = error;
  }
  const stat = await file.stat();
  // Else another daemon took our file for one left behind, and what we linked was not ours.
  if (failure === undefined && stat.nlink === 2) return { stat, lock: stat };
  const lock = await files.lstat(lockPath);
  if (failure === undefined || isSameInode(stat, lock)) return { stat, lock };
  if (isForbidden(failure)) return { stat, lock: 'forbidden' };
  const code = errorCode(failure);
  if (code !== 'EEXIST' && code !== 'ENOENT') throw failure;
  return { stat, lock };
}

/** A dotlock that cannot be made is still honoured where another has one. */
async function withoutOwn(files: Files, lockPath: string, staleMs: number): Promise<'busy' | 'forbidden'> {
  const lock = await files.lstat(lockPath);
  if (lock === undefined) return 'forbidden';
  const isOld = Date.now() - mtimeMs(lock) >= staleMs;
  return (await isLeft(files, lockPath, lock, isOld)) ? 'forbidden' : 'busy';
}

async function refresh({ file, content }: OwnFile): Promise<void> {
  try {
    await file.write(content, 0);
  } catch (error) {
    if (!isFull(error)) throw error;
    // Needs no room, and sets the time as well.
    await file.truncate(0);
  }
}

async function release(
  files: Files,
  lockPath: string,
  file: OpenFile,
  own: FileStat,
): Promise<'released' | 'taken'> {
  try {
    // If it was broken for its age, the name may be another program's by now.
    if (!isSameInode(own, await files.lstat(lockPath))) return 'taken';
    await files.unlink(lockPath);
    return 'released';
  } finally {
    await file.close();
  }
}

/** After an attempt that came to nothing, at whatever step: the name may be ours all the same. */
async function giveUp(files: Files, { file }: OwnFile, lockPath: string): Promise<void> {
  try {
    const own = await file.stat();
    if (isSameInode(own, await files.lstat(lockPath))) await files.unlink(lockPath);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  } finally {
    await quietly(file.close());
  }
}

/** Only a file or a link is a lock that somebody forgot; links are never followed. */
async function isLeft(files: Files, lockPath: string, lock: FileStat, isOld: boolean): Promise<boolean> {
  if (lock.kind !== 'file' && lock.kind !== 'link') return false;
  return isOld || (await isLeftByPopper(files, lockPath, lock, isLockOfHere));
}

/**
 * Whether it is the file of a popper of this user that is dead; in doubt it is not. The own name says that it is of this
 * host, and who died may not have come to write.
 */
async function isLeftByPopper(
  files: Files,
  path: string,
  stat: FileStat,
  isRight: (text: string) => boolean = () => true,
): Promise<boolean> {
  if (!isFileOfOurs(stat)) return false;
  try {
    const file = await files.open(path, 'read');
    try {
      const isTheSame = isSameInode(stat, await file.stat());
      return isTheSame && isRight(await textOf(file)) && !isKernelLocked(file, 'shared');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

/** Of a popper of this user, as far as its inode tells. */
const isFileOfOurs = ({ kind, uid, octets }: FileStat): boolean =>
  kind === 'file' && uid === process.geteuid?.() && octets <= maxContentOctets;

async function textOf(file: OpenFile): Promise<string> {
  const content = Buffer.alloc(maxContentOctets);
  return content.toString('latin1', 0, await file.read(content, 0));
}

/** Of a lock that a popper of this host wrote; other programs' locks say nothing that can be relied on. */
function isLockOfHere(text: string): boolean {
  return /^\d{1,10} (\S+) [0-9a-f]{32}\n$/.exec(text)?.[1] === hostname();
}

const maxContentOctets = 512;

/** Takes the kernel's lock, unless another has it. A system without such locks answers as if another had. */
function isKernelLocked(file: OpenFile, how: 'shared' | 'exclusive'): boolean {
  try {
    return !lockFile(file.descriptor, how);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return how === 'shared';
  }
}

/**
 * Takes away the lock that was looked at. Between look and removal a new one may have got its name, so it is given the name of
 * an own file first, and looked at again; a new one gets its name back. That fails where a third program takes the free name
 * within these microseconds: then there are two who believe to have the lock, and the one whose file was moved loses it; a
 * popper hears of that when it lets go, and has the kernel's lock besides. No call of the kernel moves a name only if it leads
 * to a certain file. Who dies here leaves it there, where it stops nobody.
 */
async function takeAway(files: Files, lockPath: string, lock: FileStat, asidePath: string): Promise<boolean> {
  try {
    await files.rename(lockPath, asidePath);
  } catch (error) {
    // In a sticky folder another user's lock stays, however old: its folder does allow dotlocks, so none is no choice.
    if (isForbidden(error)) return false;
    if (errorCode(error) === 'ENOENT') return true;
    throw error;
  }
  const found = await files.lstat(asidePath);
  const isTheSame = isSameInode(lock, found) && found?.mtimeNs === lock.mtimeNs;
  if (isTheSame || (await files.lstat(lockPath)) !== undefined) await files.unlink(asidePath);
  else await files.rename(asidePath, lockPath);
  return isTheSame;
}

const clock = new WallClock();

const mtimeMs = (stat: FileStat): number => Number(stat.mtimeNs / 1_000_000n);

function isForbidden(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
}

function isFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** For cleaning up, where an error of the system must not hide what went before. */
async function quietly(step: Promise<unknown>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}
