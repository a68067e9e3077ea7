import { lstatSync, type Stats, statSync } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

import { WarmNames } from '../warm-names.ts';

/** A worker asks for a lock that is not its user's to have. The message says why; it is for the log. */
export class LockRefused extends Error {}

/**
 * Whether the locker may lock this mailbox for a worker of this uid: it is there, a regular file of that uid with one name,
 * and no folder from `root` on is one in which that uid could put something else in its place. `forbidden`: a folder is, so that
 * uid may lock for itself. Throws a LockRefused for whatever belongs to somebody else, and system errors.
 */
export async function mayLock(
  uid: number,
  mailboxPath: string,
  root: string | undefined,
): Promise<'yes' | 'missing' | 'forbidden'> {
  if (root === undefined || resolve(mailboxPath) !== mailboxPath || !mailboxPath.startsWith(root))
    throw new LockRefused('no mailbox lies there by the configuration');
  try {
    for (const folder of foldersTo(mailboxPath, root)) {
      if (!(await isOutOfReach(folder, uid))) return 'forbidden';
    }
    refuseForeign(await look(mailboxPath), uid);
    return 'yes';
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return 'missing';
    // Nor can it make files where it may not look.
    if (codeOf(error) === 'EACCES') return 'forbidden';
    throw error;
  }
}

/** `root` itself, and each folder between it and the mailbox. */
function foldersTo(mailboxPath: string, root: string): readonly string[] {
  const names = mailboxPath.slice(root.length).split(sep).slice(0, -1);
  return names.reduce<readonly string[]>(
    (folders, name) => [...folders, `${folders.at(-1)}${name}/`],
    [root],
  );
}

/**
 * Nobody but its owner, the locker's group and, where names can be changed by their owners only, everybody else may write there.
 * A link is followed where its own owner is not the user: an operator may have moved a part of his spool.
 */
async function isOutOfReach(folder: string, uid: number): Promise<boolean> {
  const [name, found] = [await look(folder.slice(0, -1) || '/'), await lookBehind(folder)];
  return name.uid !== uid && found.isDirectory() && !mayChange(found, uid);
}

function mayChange({ uid: owner, gid, mode }: Stats, uid: number): boolean {
  if (owner === uid) return true;
  if ((mode & 0o1000) !== 0) return false;
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== process.getegid?.());
}

function refuseForeign(found: Stats, uid: number): void {
  if (!found.isFile()) throw new LockRefused('it is no regular file');
  if (found.uid !== uid) throw new LockRefused(`it belongs to uid ${found.uid}`);
  if (found.nlink !== 1) throw new LockRefused(`it has ${found.nlink} names`);
}

const warm = new WarmNames();

async function look(path: string): Promise<Stats> {
  if (warm.has(path)) return lstatSync(path);
  try {
    return await lstat(path);
  } finally {
    await warm.add(path);
  }
}

async function lookBehind(folder: string): Promise<Stats> {
  if (warm.has(folder)) return statSync(folder);
  try {
    return await stat(folder);
  } finally {
    await warm.add(folder);
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
