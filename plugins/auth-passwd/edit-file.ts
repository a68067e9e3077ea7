import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { lockFile } from 'popperd';

import { FileFault, fileFault } from './file-fault.ts';

/** Another editor is waited for so long; an edit takes milliseconds. */
const lockDeadlineMs = 10_000;
const lockRetryMs = 20;

/**
 * Replaces a file's text by what `change` makes of it; undefined leaves the file alone. Text is latin1, so that octets
 * stay what they are. Readers see the old file or the new one, whenever this dies; owner, group and mode stay; two
 * edits at once follow each other. Throws a FileFault, and then nothing was changed.
 */
export async function editFile(
  file: string,
  change: (text: string) => string | undefined,
  options: { readonly create: boolean },
): Promise<void> {
  try {
    const handle = await openLocked(file, options);
    try {
      const text = change(await handle.readFile('latin1'));
      // The link stays a link: what it points to is replaced.
      if (text !== undefined) await replace(await realpath(file), text, await handle.stat());
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileFault(file, error, options.create ? ofMissing(file) : undefined);
  }
}

/** A file that is to be made can be missing only with its folder. */
const ofMissing = (file: string): ReadonlyMap<string, string> =>
  new Map([['ENOENT', `there is no folder ${dirname(file)}: make it first, or mend the path`]]);

/** The lock is on the file itself, so nothing is left behind by a process that dies; the kernel lets it go. */
async function openLocked(file: string, options: { readonly create: boolean }): Promise<FileHandle> {
  const deadlineMs = performance.now() + lockDeadlineMs;
  const flags = constants.O_RDWR | constants.O_NONBLOCK | (options.create ? constants.O_CREAT : 0);
  while (performance.now() < deadlineMs) {
    const handle = await open(file, flags, 0o600);
    if (await isOurs(handle, file)) return handle;
    await handle.close();
    await setTimeout(lockRetryMs);
  }
  throw new FileFault(file, `another program has held its lock for ${lockDeadlineMs} ms: try again later`);
}

// Who waited for the lock may have got that of a file which has been replaced meanwhile.
async function isOurs(handle: FileHandle, file: string): Promise<boolean> {
  const facts = await handle.stat();
  if (!facts.isFile()) throw new FileFault(file, 'is no regular file');
  if (!lockFile(handle.fd, 'exclusive')) return false;
  const named = await stat(file).catch(() => undefined);
  return named?.ino === facts.ino && named.dev === facts.dev;
}

async function replace(file: string, text: string, facts: Stats): Promise<void> {
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file)}.${randomBytes(8).toString('hex')}`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await fill(handle, text, facts);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
  await syncFolder(folder);
}

async function fill(handle: FileHandle, text: string, { uid, gid, mode }: Stats): Promise<void> {
  await handle.writeFile(text, 'latin1');
  const own = await handle.stat();
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
  await handle.chmod(mode & 0o7777);
  await handle.sync();
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
