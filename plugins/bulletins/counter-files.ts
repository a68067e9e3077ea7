import { constants, fstatSync, lstatSync, openSync, closeSync, readSync } from 'node:fs';
import * as fs from 'node:fs/promises';

import { lockFile, WarmNames } from 'popperd';

import { syncFolder } from './sync-folder.ts';

/** The file that becomes a counter, locked. */
export interface NextFile {
  write(text: string): Promise<void>;
  sync(): Promise<void>;
  /** Lets go of the lock, too. */
  close(): Promise<void>;
}

/** What a counter does to files, so that a test can let each step of it fail, or be the last. Throws system errors. */
export interface CounterFiles {
  /** The beginning of the file; undefined if there is none. No link is followed. */
  read(path: string): Promise<string | undefined>;
  /** Makes the file, or takes over the one that a dead process left. 'busy' while a living one has it. */
  openNext(path: string): Promise<NextFile | 'busy'>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
}

const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
/** More than a number needs. */
const maxOctets = 64;

/** The file system of this machine. A counter that was read lately is read on the spot (docs/decisions/0007). */
export const realCounterFiles: CounterFiles = {
  async read(path) {
    try {
      return warm.has(path) ? readNow(path) : await readInPool(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    } finally {
      await warm.add(path);
    }
  },
  async openNext(path) {
    const handle = await fs.open(path, constants.O_RDWR | constants.O_CREAT | careful, 0o600);
    try {
      if (!lockFile(handle.fd, 'exclusive') || !isNamed(handle.fd, path)) {
        await handle.close();
        return 'busy';
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    return {
      async write(text) {
        await handle.truncate(0);
        await handle.write(text, 0, 'latin1');
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  syncFolder,
};

const warm = new WarmNames();

function readNow(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | careful);
  try {
    const octets = Buffer.alloc(maxOctets);
    return octets.toString('latin1', 0, readSync(descriptor, octets, 0, maxOctets, 0));
  } finally {
    closeSync(descriptor);
  }
}

async function readInPool(path: string): Promise<string> {
  const handle = await fs.open(path, constants.O_RDONLY | careful);
  try {
    const octets = Buffer.alloc(maxOctets);
    const { bytesRead } = await handle.read(octets, 0, maxOctets, 0);
    return octets.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Whoever waited at the door may hold a file that has become the counter meanwhile, or one with a second name. */
function isNamed(descriptor: number, path: string): boolean {
  const [own, named] = [fstatSync(descriptor), lstatSync(path, { throwIfNoEntry: false })];
  return own.isFile() && own.nlink === 1 && own.ino === named?.ino && own.dev === named.dev;
}
