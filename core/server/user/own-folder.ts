import { chmodSync, chownSync, closeSync, fsyncSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { isBeyondUs } from '../state-folder.ts';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes a uid's folder in `stateDir` (0700, his own), durably, as root, which alone may. On the spot: a process that is to give up
 * root must not have asked the thread pool for anything by then. Throws an Error that says what is wrong with a folder
 * that is there.
 */
export function makeOwnFolder(stateDir: string, { uid, gid }: Owner): void {
  refuseForeign(stateDir);
  const folder = join(stateDir, String(uid));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is no folder: move it away`);
  // Fresh, or from a process that got no further.
  if (stat.uid === 0) giveAway(stateDir, folder, { uid, gid });
  else if (stat.uid !== uid) throw new Error(`${folder} belongs to uid ${stat.uid}: chown ${uid} ${folder}`);
}

/** It is his only when no power cut can take it back: one that is his need never be waited for again. */
function giveAway(stateDir: string, folder: string, { uid, gid }: Owner): void {
  syncOnTheSpot(stateDir);
  chownSync(folder, uid, gid);
}

function syncOnTheSpot(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if (!isBeyondUs(error)) throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** What the locker must remember lies below it: fronts are the same user, but not in its group. */
export const lockersFolderOf = (stateDir: string): string => join(stateDir, 'locker');

/** Makes it (0770, root's), for a locker in this group. Throws an Error that says what is wrong with one that is there. */
export function makeLockersFolder(stateDir: string, gid: number): void {
  refuseForeign(stateDir);
  const folder = lockersFolderOf(stateDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!lstatSync(folder).isDirectory()) throw new Error(`${folder} is no folder: move it away`);
  chownSync(folder, 0, gid);
  chmodSync(folder, 0o770);
}

function refuseForeign(stateDir: string): void {
  const { uid, mode } = lstatSync(stateDir);
  // Else somebody could put a link in the place of a folder, and own what it leads to.
  if (uid === 0 && (mode & 0o022) === 0) return;
  throw new Error(`others than root may write to ${stateDir}: chown root ${stateDir}; chmod 711 ${stateDir}`);
}
