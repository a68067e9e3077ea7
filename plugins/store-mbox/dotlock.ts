import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { errorCode, type Files, type FileStat, type OpenFile } from './commit/index.ts';

/** A dotlock held. */
export interface Dotlock {
  /** Shows other programs that it is not left behind. */
  refresh(): Promise<void>;
  release(): Promise<void>;
}

/** `forbidden`: this user may not make files in the spool folder, so there can be no dotlock. */
export type DotlockAttempt = Dotlock | 'busy' | 'forbidden';

/** The name that all mail programs agree on. */
export const dotlockPathOf = (mailboxPath: string): string => `${mailboxPath}.lock`;

/** Whether another program has the dotlock. */
export async function isDotlocked(files: Files, mailboxPath: string, staleMs: number): Promise<boolean> {
  const stat = await files.lstat(dotlockPathOf(mailboxPath));
  return stat !== undefined && ageMs(stat) < staleMs;
}

/**
 * Tries once to take the dotlock: a file of its own, then a link to it under the lock's name, which also works over NFS.
 * A lock that nobody can be holding any more is taken away first.
 */
export async function tryDotlock(
  files: Files,
  mailboxPath: string,
  staleMs: number,
): Promise<DotlockAttempt> {
  const lockPath = dotlockPathOf(mailboxPath);
  try {
    await removeStale(files, lockPath, staleMs);
    return await link(files, ownPathOf(mailboxPath), lockPath);
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'forbidden';
    if (code === 'EEXIST' || code === 'ENOENT') return 'busy';
    throw error;
  }
}

/** Takes away what a dead process of this host left, so that nobody has to wait until it is old. */
export async function clearLeftBehind(files: Files, mailboxPath: string, staleMs: number): Promise<void> {
  await removeStale(files, dotlockPathOf(mailboxPath), staleMs);
  try {
    await files.unlink(ownPathOf(mailboxPath));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** The transactions of this process that hold a dotlock: one with its pid that is not among them is left behind. */
const held = new Set<string>();

/** One name a mailbox and host, so that crashes leave at most one such file behind. */
const ownPathOf = (mailboxPath: string): string =>
  join(dirname(mailboxPath), `.${basename(mailboxPath)}.popper-lock.${hostname()}`);

async function link(files: Files, ownPath: string, lockPath: string): Promise<DotlockAttempt> {
  const transaction = randomBytes(16).toString('hex');
  const content = Buffer.from(`${process.pid} ${hostname()} ${transaction}\n`);
  const file = await createOwn(files, ownPath);
  try {
    await writeOwner(file, content);
    if (!(await tryLink(files, ownPath, lockPath, file))) {
      await file.close();
      return 'busy';
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  held.add(transaction);
  return {
    refresh: () => file.write(content, 0),
    release: () => release(files, lockPath, file).finally(() => held.delete(transaction)),
  };
}

/** On a full disk the lock stays empty: it locks as well, only a dead owner is then known by nothing but its age. */
async function writeOwner(file: OpenFile, content: Buffer): Promise<void> {
  try {
    await file.write(content, 0);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
  }
}

async function createOwn(files: Files, ownPath: string): Promise<OpenFile> {
  try {
    return await files.open(ownPath, 'create');
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  // The session lock is ours, so a process that died here left it behind.
  await files.unlink(ownPath);
  return files.open(ownPath, 'create');
}

/** The link may have been made although link(2) failed, when an answer of NFS got lost: the count of names tells. */
async function tryLink(files: Files, ownPath: string, lockPath: string, file: OpenFile): Promise<boolean> {
  try {
    await files.link(ownPath, lockPath).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    return (await file.stat()).nlink === 2;
  } finally {
    await files.unlink(ownPath);
  }
}

async function release(files: Files, lockPath: string, file: OpenFile): Promise<void> {
  try {
    const [own, found] = await Promise.all([file.stat(), files.lstat(lockPath)]);
    // If it was broken for its age, the name may be another program's by now.
    if (found?.ino === own.ino && found.dev === own.dev) await files.unlink(lockPath);
  } finally {
    await file.close();
  }
}

async function removeStale(files: Files, lockPath: string, staleMs: number): Promise<void> {
  const stat = await files.lstat(lockPath);
  if (stat === undefined || !(await isStale(files, lockPath, stat, staleMs))) return;
  const now = await files.lstat(lockPath);
  // Somebody else may have taken it away already, and a new one is not ours to touch.
  if (now?.ino === stat.ino && now.mtimeNs === stat.mtimeNs) await files.unlink(lockPath);
}

async function isStale(files: Files, lockPath: string, stat: FileStat, staleMs: number): Promise<boolean> {
  if (ageMs(stat) >= staleMs) return true;
  const [pid, host, transaction] = await readOwner(files, lockPath, stat);
  if (host !== hostname() || transaction === undefined) return false;
  if (Number(pid) === process.pid) return !held.has(transaction);
  return !isAlive(Number(pid));
}

/** Words of a lock that a popper wrote; other programs' locks say nothing that can be relied on. */
async function readOwner(files: Files, lockPath: string, stat: FileStat): Promise<string[]> {
  if (stat.kind !== 'file' || stat.octets > maxContentOctets) return [];
  let file: OpenFile;
  try {
    file = await files.open(lockPath, 'read');
  } catch {
    return [];
  }
  try {
    const content = Buffer.alloc(maxContentOctets);
    const text = content.toString('latin1', 0, await file.read(content, 0));
    return /^(\d{1,10}) (\S+) ([0-9a-f]{32})\n$/.exec(text)?.slice(1) ?? [];
  } finally {
    await file.close();
  }
}

const maxContentOctets = 512;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}

const ageMs = (stat: FileStat): number => Date.now() - Number(stat.mtimeNs / 1_000_000n);
