import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { errorCode, type Files } from './files.ts';

/** Lends files whose disk space is already taken, for journals of commits on a full disk. */
export interface Reserve {
  /** Moves a reserve to `journalPath` and answers true, or false if there is none left. */
  lend(journalPath: string): Promise<boolean>;
  /** Takes back what was lent; the name `journalPath` is free afterwards. */
  giveBack(journalPath: string): Promise<void>;
}

/** A pool of reserves in a folder on the journals' file system, shared with any number of processes. */
export function poolReserve(files: Files, folder: string): Reserve {
  return {
    async lend(journalPath) {
      if ((await files.lstat(journalPath)) !== undefined) return false;
      for (const name of await reserveNames(files, folder)) {
        if (await moved(files, join(folder, name), journalPath)) return true;
      }
      return false;
    },
    giveBack: (journalPath) => files.rename(journalPath, join(folder, newName(readyPrefix))),
  };
}

/**
 * Makes reserves until there are `count` of them, each `octets` long, and answers how many there are now; fewer if
 * the disk is full. Where several processes do it at the same time, one of them gives up its piece to another, or there are
 * some more than was asked for.
 */
export async function fillReserve(
  files: Files,
  folder: string,
  wanted: { readonly count: number; readonly octets: number },
): Promise<number> {
  await removeUnfinished(files, folder);
  let count = (await reserveNames(files, folder)).length;
  while (count < wanted.count && (await makeReserve(files, folder, wanted.octets))) count += 1;
  return count;
}

/** Enough for two slots of the default chunk and a header of a hundred thousand extents; larger ones get smaller steps. */
export const defaultReserveOctets = 9 * 1024 * 1024;

const readyPrefix = 'reserve-';
const unfinishedPrefix = 'unfinished-';

async function reserveNames(files: Files, folder: string): Promise<readonly string[]> {
  return (await files.readFolder(folder)).filter((name) => name.startsWith(readyPrefix));
}

/** false if another process was faster. */
async function moved(files: Files, from: string, to: string): Promise<boolean> {
  try {
    await files.rename(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function removeUnfinished(files: Files, folder: string): Promise<void> {
  for (const name of await files.readFolder(folder)) {
    if (name.startsWith(unfinishedPrefix)) await removeIfThere(files, join(folder, name));
  }
}

async function removeIfThere(files: Files, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** false where the disk is full, or another process took this one for left behind. */
async function makeReserve(files: Files, folder: string, octets: number): Promise<boolean> {
  const path = join(folder, newName(unfinishedPrefix));
  try {
    await writeReserve(files, path, octets);
    if (!(await moved(files, path, join(folder, newName(readyPrefix))))) return false;
    await files.syncFolder(folder, 'reserve: its name');
    return true;
  } catch (error) {
    await files.unlink(path).catch(() => undefined);
    if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT') return false;
    throw error;
  }
}

async function writeReserve(files: Files, path: string, octets: number): Promise<void> {
  const file = await files.open(path, 'create');
  try {
    // Zeros, or fallocate, would take no space on a file system that compresses or copies on write.
    const filling = randomBytes(Math.min(octets, 1024 * 1024));
    for (let done = 0; done < octets; done += filling.length) {
      await file.write(filling.subarray(0, octets - done), done);
    }
    await file.sync('reserve: its space');
  } finally {
    await file.close();
  }
}

function newName(prefix: string): string {
  return `${prefix}${randomBytes(8).toString('hex')}`;
}
