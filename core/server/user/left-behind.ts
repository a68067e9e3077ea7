import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Account } from './account.ts';

/** More names in one folder than a process leaves: somebody plays a game, and looking further would be part of it. */
const maxNames = 1000;
/** A journal that is done is no longer than this; see `PluginState.folderOfUid`. */
const doneOctets = 4096;

/**
 * The users in whose folders something is half done, for root, who may not read a byte of what lies there: names and sizes say
 * it. Folders of others than their uid are passed over; `odd` is told of them.
 */
export async function usersWithLeftovers(
  stateDir: string,
  minUid: number,
  odd: (folder: string, owner: number) => void,
): Promise<readonly Account[]> {
  const users: Account[] = [];
  for await (const { name } of await opendir(stateDir)) {
    if (!/^[1-9][0-9]*$/.test(name) || Number(name) < minUid) continue;
    const folder = join(stateDir, name);
    const { uid, gid } = await lstat(folder);
    if (uid !== Number(name)) odd(folder, uid);
    else if (await leavesBehind(stateDir, uid)) users.push({ uid, gid });
  }
  return users;
}

/** Whether something is half done in the folder of this uid. */
export async function leavesBehind(stateDir: string, uid: number): Promise<boolean> {
  const folder = join(stateDir, String(uid), 'journals');
  const entries = await opendir(folder).catch((error: unknown) => {
    // No store has ever had to be careful for this user; or there is no folder but a game.
    if (
      error instanceof Error &&
      'code' in error &&
      ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String(error.code))
    )
      return undefined;
    throw error;
  });
  if (entries === undefined) return false;
  let names = 0;
  for await (const { name } of entries) {
    names += 1;
    if (names > maxNames || (await isHalfDone(join(folder, name), name))) return true;
  }
  return false;
}

async function isHalfDone(path: string, name: string): Promise<boolean> {
  if (!name.endsWith('.j')) return true;
  const stat = await lstat(path).catch(() => undefined);
  return stat !== undefined && (!stat.isFile() || stat.size > doneOctets);
}
