import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { lockFile } from 'popperd';

import { errorCode, type Files, type FileStat, type OpenFile } from './commit/index.ts';
import { isSameInode, openSpoolFile, type Trust } from './spool-file.ts';

/**
 * Where a classic popper, or a qpopper, keeps the mail of a session that runs: it empties the mailbox meanwhile. When it is
 * killed, mail stays there and nowhere else.
 */
export const temporaryDropPathOf = (mailboxPath: string): string =>
  join(dirname(mailboxPath), `.${basename(mailboxPath)}.pop`);

/** The mailbox whose temporary drop would be there; undefined for a path that is none's. */
export function mailboxPathOfDrop(path: string): string | undefined {
  const name = /^\.(.+)\.pop$/s.exec(basename(path))?.[1];
  return name === undefined ? undefined : join(dirname(path), name);
}

/** Whether mail was left; costs a look at a name. Throws system errors. */
export async function hasTemporaryDrop(files: Files, mailboxPath: string): Promise<boolean> {
  const stat = await files.lstat(temporaryDropPathOf(mailboxPath));
  return stat !== undefined && stat.octets > 0;
}

/**
 * Opens it as carefully as the mailbox, and locks it. undefined if there is none, or if a classic popper has it locked, or has
 * just removed it.
 * Throws a Failure (SYS/PERM) where it is not to be trusted.
 */
export async function openTemporaryDrop(
  files: Files,
  mailboxPath: string,
  trust: Trust,
): Promise<OpenFile | undefined> {
  const path = temporaryDropPathOf(mailboxPath);
  const file = await openSpoolFile(files, path, 'read-write', trust);
  if (file === undefined) return undefined;
  try {
    const stat = await lockedStat(file);
    // A classic popper that ended just now has removed it, and what is in it may have been deleted.
    if (stat !== undefined && isSameInode(stat, await files.lstat(path))) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

/** undefined if it is not free. Those who lock by flock(2) do not meet our lock, but the kernel tells of theirs. */
async function lockedStat(file: OpenFile): Promise<FileStat | undefined> {
  if (!lockFile(file.descriptor, 'exclusive')) return undefined;
  const stat = await file.stat();
  return hasFlock(await kernelLocks(), stat.ino) ? undefined : stat;
}

/** Whether flock(2) is held on an inode of this number, whatever the device: in doubt somebody is at it. */
export const hasFlock = (locks: string, ino: bigint): boolean =>
  locks
    .split('\n')
    .some((line) => /^\d+: FLOCK /.test(line) && line.split(/\s+/)[5]?.endsWith(`:${ino}`) === true);

async function kernelLocks(): Promise<string> {
  try {
    return await readFile('/proc/locks', 'latin1');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
