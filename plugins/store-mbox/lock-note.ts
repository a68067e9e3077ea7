import { join } from 'node:path';

import { errorCode, type Files } from './commit/index.ts';
import { clearLeftBehind } from './dotlock.ts';

/**
 * Says in the daemon's own folder that a dotlock is about to be made. Nobody else may take one away before it is old, so
 * a daemon that died with it does that at its next start: until then no mail would come.
 */
export interface LockNote {
  write(): Promise<void>;
  remove(): Promise<void>;
}

/** A note that cannot be written or removed is done without: it is of use only after a crash. */
export function lockNote(files: Files, path: string, mailboxPath: string): LockNote {
  return {
    write: () => unlessRefused(write(files, path, mailboxPath)),
    remove: () => unlessRefused(files.unlink(path)),
  };
}

export const noteEnding = '.locking';

/** Takes away the dotlocks that dead processes left. Throws system errors. */
export async function clearLeftLocks(files: Files, folder: string, staleMs: number): Promise<void> {
  for (const name of await files.readFolder(folder)) {
    if (!name.endsWith(noteEnding)) continue;
    const path = join(folder, name);
    const mailboxPath = await read(files, path);
    // A torn note is older than the lock it was to tell of.
    if (mailboxPath !== undefined) await clearLeftBehind(files, mailboxPath, staleMs);
    await files.unlink(path);
  }
}

async function unlessRefused(step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

async function write(files: Files, path: string, mailboxPath: string): Promise<void> {
  const file = await create(files, path);
  try {
    await file.write(Buffer.from(`${mailboxPath}\0`), 0);
  } finally {
    await file.close();
  }
}

async function create(files: Files, path: string) {
  try {
    return await files.open(path, 'create');
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  // A process that died left it, and the session lock is ours now.
  await files.unlink(path);
  return files.open(path, 'create');
}

async function read(files: Files, path: string): Promise<string | undefined> {
  const file = await files.open(path, 'read');
  try {
    const octets = Buffer.alloc(maxPathOctets);
    const text = octets.toString('utf8', 0, await file.read(octets, 0));
    return text.endsWith('\0') ? text.slice(0, -1) : undefined;
  } finally {
    await file.close();
  }
}

const maxPathOctets = 4097;
