import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import * as fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** What kind of thing a name leads to; a symbolic link is never followed. */
export type FileKind = 'file' | 'folder' | 'link' | 'other';

/** The facts of an inode that the store compares. Times are nanoseconds since the epoch. */
export interface FileStat {
  readonly kind: FileKind;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly octets: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits only. */
  readonly mode: number;
}

/** An open file. Positions are octets from its start; nothing here moves a shared file offset. */
export interface OpenFile {
  /** For lock calls only. */
  readonly descriptor: number;
  stat(): Promise<FileStat>;
  /** Fills `target` from `position` on; answers fewer octets only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `source` or throws; a file too short grows, and what lies between reads as zeros. */
  write(source: Uint8Array, position: number): Promise<void>;
  /** Cuts the file, or grows it with zeros. */
  truncate(octets: number): Promise<void>;
  /** fsync. `point` names the place in the code and its reason, for tests and traces. */
  sync(point: string): Promise<void>;
  /** fdatasync: content, and whatever is needed to read it back. */
  dataSync(point: string): Promise<void>;
  close(): Promise<void>;
}

/** `create` fails with EEXIST if the name is taken, and makes a file that only its owner can read. */
export type OpenMode = 'read' | 'read-write' | 'create';

/**
 * Everything the store does to files goes through here, so that a test can put a failing disk, a full one or one
 * that loses power behind the real code. Errors are those of Node, with `code`.
 */
export interface Files {
  /** Follows no symbolic link (ELOOP) and does not hang on a fifo; the caller still checks `stat().kind`. */
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** undefined if there is no such name. */
  lstat(path: string): Promise<FileStat | undefined>;
  /** Replaces `to` if it exists. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; EEXIST if `to` is taken. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Mode 0700; missing parents are an error, a folder that is there already is none. */
  createFolder(path: string): Promise<void>;
  /** Makes names created, renamed or removed in the folder durable. */
  syncFolder(path: string, point: string): Promise<void>;
  /** Names in the folder, unsorted; none if the folder is missing. */
  readFolder(path: string): Promise<readonly string[]>;
  /** Differs after each start of the machine; undefined where the system does not tell. */
  bootId(): Promise<string | undefined>;
}

/** The file system of this machine. */
export const realFiles: Files = {
  async open(path, mode) {
    return openFile(await fs.open(path, openFlags[mode], 0o600));
  },
  async lstat(path) {
    const stats = await unlessMissing(fs.lstat(path, { bigint: true }));
    return stats === undefined ? undefined : fileStat(stats);
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
  async bootId() {
    const text = await unlessMissing(fs.readFile('/proc/sys/kernel/random/boot_id', 'latin1'));
    return text?.trim();
  },
};

/** The `code` of a system error, such as ENOSPC; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

// O_CLOEXEC is not in the list because libuv sets it on every open.
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const openFlags: Record<OpenMode, number> = {
  read: constants.O_RDONLY | careful,
  'read-write': constants.O_RDWR | careful,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | careful,
};

function openFile(handle: FileHandle): OpenFile {
  return {
    descriptor: handle.fd,
    stat: async () => fileStat(await handle.stat({ bigint: true })),
    read: (target, position) => readAll(handle, target, position),
    write: (source, position) => writeAll(handle, source, position),
    truncate: (octets) => handle.truncate(octets),
    sync: () => handle.sync(),
    dataSync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

async function readAll(handle: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await again(() => handle.read(target, done, target.length - done, position + done));
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function writeAll(handle: FileHandle, source: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < source.length) {
    const { bytesWritten } = await again(() =>
      handle.write(source, done, source.length - done, position + done),
    );
    // Some full or broken file systems answer zero for ever instead of an error.
    if (bytesWritten === 0) throw Object.assign(new Error('write: nothing was written'), { code: 'EIO' });
    done += bytesWritten;
  }
}

async function again<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (errorCode(error) !== 'EINTR') throw error;
    }
  }
}

function fileStat(stats: BigIntStats): FileStat {
  return {
    kind: kindOf(stats),
    dev: stats.dev,
    ino: stats.ino,
    octets: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    nlink: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mode: Number(stats.mode & 0o7777n),
  };
}

function kindOf(stats: BigIntStats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

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
