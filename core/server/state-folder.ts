import { constants, type Stats } from 'node:fs';
import { access, chmod, type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Why a folder cannot hold state, and what to do about it. */
export interface FolderFault {
  readonly what: string;
  readonly fix: string;
}

/**
 * Looks without changing anything. What lies there is parsed and believed, so nobody else may write there; and what is
 * not there yet must be one that this process can make.
 */
export async function faultOfFolder(folder: string): Promise<FolderFault | undefined> {
  const uid = process.getuid?.() ?? 0;
  const found = await statOf(folder);
  return found === undefined ? faultOfMissing(folder, folder, uid) : faultOfFound(folder, found, uid);
}

/** Throws an Error that says so to the operator. */
export async function refuseFaulty(folder: string): Promise<void> {
  const fault = await faultOfFolder(folder);
  if (fault) throw new Error(`stateDir: ${fault.what}: ${fault.fix}`);
}

/**
 * Makes it (0711, whatever the umask), unless it is there; durably. Throws an Error for the operator where that cannot be, or must
 * not.
 */
export async function makeStateDir(stateDir: string): Promise<void> {
  await refuseFaulty(stateDir);
  // Who made it may have died before he waited for the disk.
  if ((await statOf(stateDir)) !== undefined) return syncFolder(dirname(stateDir));
  await makeFolders(stateDir).catch((cause: unknown) => {
    throw new Error(`stateDir: ${stateDir} cannot be made: name another folder`, { cause });
  });
}

/**
 * Makes the names in a folder durable: a power cut that takes back a folder takes all that lies in it, however well that was
 * waited for. One that this process may not open is left to who made something in it.
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await syncOpened(await open(folder, constants.O_RDONLY | constants.O_DIRECTORY));
  } catch (error) {
    if (!isBeyondUs(error)) throw error;
  }
}

async function syncOpened(folder: FileHandle): Promise<void> {
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Whether a folder cannot be waited for by this process, or at all: file systems have many words for that they know no such thing. */
export const isBeyondUs = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && beyondUs.has(String(error.code));

const beyondUs = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** Not by `recursive`, with which Node tries for ever where the system will make no folder, as in /proc. */
async function makeFolders(folder: string): Promise<void> {
  const above = dirname(folder);
  if ((await statOf(above)) === undefined) await makeFolders(above);
  await mkdir(folder);
  await chmod(folder, 0o711);
  await syncFolder(above);
}

function faultOfFound(folder: string, stat: Stats, uid: number): FolderFault | undefined {
  if (!stat.isDirectory())
    return { what: `${folder} is no folder`, fix: 'move it away, or name another folder' };
  if (stat.uid !== uid) {
    return {
      what: `${folder} belongs to uid ${stat.uid}, and this is uid ${uid}`,
      fix: `be the user that popper is to run as; where that is this one: chown ${uid} ${folder}`,
    };
  }
  if ((stat.mode & 0o022) === 0) return undefined;
  return { what: `others may write to ${folder}`, fix: `chmod go-w ${folder}` };
}

/** The nearest folder above that is there has to let this process in. */
async function faultOfMissing(folder: string, path: string, uid: number): Promise<FolderFault | undefined> {
  const above = dirname(path);
  const found = await statOf(above);
  if (found === undefined) return above === path ? undefined : faultOfMissing(folder, above, uid);
  const fix = `make it for the user that popper runs as: install -d -o USER -m 711 ${folder}`;
  // A link to a folder is one here.
  const mayWrite = await access(`${above}/.`, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (mayWrite) return undefined;
  return { what: `${folder} is not there, and uid ${uid} cannot make it in ${above}`, fix };
}

/** Undefined where there is none, or none that can be looked at. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch {
    return undefined;
  }
}
