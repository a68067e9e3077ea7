import { constants } from 'node:fs';
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Account } from './account.ts';

/** More names in one folder than a process leaves: somebody plays a game, and looking further would be part of it. */
const maxNames = 1000;
/** A journal that is done is no longer than this; see `PluginState.folderOfUid`. */
const doneOctets = 4096;

/**
 * The users in whose folders something is half done, for root, who may not read a byte of what lies there: names and sizes say
 * it. A folder that is not of its uid, or that cannot be looked into, is passed over, whatever its owner has made of it; `odd` is
 * told.
 */
export async function usersWithLeftovers(
  stateDir: string,
  minUid: number,
  odd: (folder: string, why: { readonly owner: number } | { readonly error: unknown }) => void,
): Promise<readonly Account[]> {
  const users: Account[] = [];
  for await (const { name } of await opendir(stateDir)) {
    if (!/^[1-9][0-9]*$/.test(name) || Number(name) < minUid) continue;
    const folder = join(stateDir, name);
    try {
      const { uid, gid } = await lstat(folder);
      if (uid !== Number(name)) odd(folder, { owner: uid });
      else if (await leavesBehind(stateDir, uid)) users.push({ uid, gid });
    } catch (error) {
      odd(folder, { error });
    }
  }
  return users;
}

/** Whether something is half done in the folder of this uid. Rejects with a system error where it cannot be looked into. */
export async function leavesBehind(stateDir: string, uid: number): Promise<boolean> {
  const folder = await openFolder(join(stateDir, String(uid), 'journals'));
  if (folder === undefined) return false;
  try {
    return await hasHalfDone(`/proc/self/fd/${folder.fd}`);
  } finally {
    await folder.close();
  }
}

/**
 * undefined where no store has ever had to be careful for this user; or there is no folder but a game, such as a link of his that
 * would lead root elsewhere.
 */
async function openFolder(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) return undefined;
    throw error;
  }
}

/** `folder` is an open one: its owner may put another under its name meanwhile. */
async function hasHalfDone(folder: string): Promise<boolean> {
  let names = 0;
  for await (const { name } of await opendir(folder)) {
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
