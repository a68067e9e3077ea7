import {
  accessSync,
  constants,
  lstat as lstatCallback,
  lstatSync,
  open as openCallback,
  openSync,
} from 'node:fs';
import * as fs from 'node:fs/promises';
import { promisify } from 'node:util';

import { WarmNames } from 'popperd';

import { fileStat } from './file-stat.ts';
import { errorCode, type Files, type OpenFile, type OpenMode } from './files.ts';
import { openFile, openWarmFile } from './open-file.ts';

const openInPool = promisify(openCallback);
/** Not that of node:fs/promises, which finds out for each missing file where in the code it was missed. */
const lstatInPool = promisify(lstatCallback);

/**
 * The file system of this machine. Looks at names that were looked at lately are made on the spot, since a trip through
 * the thread pool costs twenty times as much; whatever may wait for a disk or the network is done in the pool, and so is
 * every change.
 */
export const realFiles: Files = {
  async open(path, mode) {
    if (mode === 'create') return create(path);
    if (warm.has(path)) return openWarmFile(openSync(path, openFlags[mode]));
    try {
      return openFile(await openInPool(path, openFlags[mode]));
    } finally {
      await warm.add(path);
    }
  },
  async lstat(path) {
    if (warm.has(path)) {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats && fileStat(stats);
    }
    const stats = await unlessMissing(lstatInPool(path, { bigint: true }));
    await warm.add(path);
    return stats && fileStat(stats);
  },
  async checkWritable(path) {
    if (warm.has(path)) return accessSync(path, constants.W_OK);
    await fs.access(path, constants.W_OK);
  },
  rename: (from, to) => fs.rename(from, to),
  link: (from, to) => fs.link(from, to),
  unlink: (path) => fs.unlink(path),
  async createFolder(path) {
    await unlessThere(fs.mkdir(path, 0o700));
  },
  async syncFolder(path) {
    const folder = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  readFolder: async (path) => (await unlessMissing(fs.readdir(path))) ?? [],
  bootId: once(readBootId),
};

/** It stays the same for as long as this process lives. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function readBootId(): Promise<string | undefined> {
  const text = await unlessMissing(fs.readFile('/proc/sys/kernel/random/boot_id', 'latin1'));
  return text?.trim();
}

const warm = new WarmNames();

/** Making a name may wait for the file system's journal; what was written is in memory. */
async function create(path: string): Promise<OpenFile> {
  const descriptor = await openInPool(path, openFlags.create, 0o600);
  await warm.add(path);
  return warm.has(path) ? openWarmFile(descriptor) : openFile(descriptor);
}

// O_CLOEXEC is not in the list because libuv sets it on every open.
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const openFlags: Record<OpenMode, number> = {
  read: constants.O_RDONLY | careful,
  'read-write': constants.O_RDWR | careful,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | careful,
};

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function unlessThere(made: Promise<void>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
