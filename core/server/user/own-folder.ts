import { chownSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes a uid's folder in `stateDir` (0700, his own), as root, which alone may. On the spot: a process that is to give up
 * root must not have asked the thread pool for anything by then. Throws an Error that says what is wrong with a folder
 * that is there.
 */
export function makeOwnFolder(
  stateDir: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): void {
  const parent = lstatSync(stateDir);
  // Else somebody could put a link in the place of the folder, and own what it leads to.
  if (parent.uid !== 0 || (parent.mode & 0o022) !== 0) {
    throw new Error(
      `others than root may write to ${stateDir}: chown root ${stateDir}; chmod 711 ${stateDir}`,
    );
  }
  const folder = join(stateDir, String(uid));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is no folder: move it away`);
  // Fresh, or from a process that got no further.
  if (stat.uid === 0) chownSync(folder, uid, gid);
  else if (stat.uid !== uid) throw new Error(`${folder} belongs to uid ${stat.uid}: chown ${uid} ${folder}`);
}
