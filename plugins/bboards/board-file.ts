import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { removedSuffix } from './board-name.ts';

/** Opens a board's mbox to be read. Throws system errors, for what is no regular file as well. */
export async function openFile(path: string): Promise<FileHandle> {
  // O_NONBLOCK: a pipe under this name must not make a session wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!(await handle.stat()).isFile()) throw new NotAFile(path);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class NotAFile extends Error {
  readonly code = 'ENOTFILE';

  constructor(path: string) {
    super(`${path} is no regular file`);
  }
}

/** Of an error of the system: `ENOENT`. Undefined where it is none. */
export const errorCode = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Changes whenever the file's content does, or another file takes its place. */
export const versionOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

export const isSameFile = (one: BigIntStats, other: BigIntStats): boolean =>
  one.dev === other.dev && one.ino === other.ino;

/**
 * How many messages have been removed from the beginning of this mbox, as the file beside it says; 0 where there is none. Throws
 * system errors, and a RangeError for a file that says something else.
 */
export async function removedFrom(path: string): Promise<number> {
  const file = `${path}${removedSuffix}`;
  const text = await beginningOf(file).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '0';
    throw errorCode(error) === 'ENOTFILE' ? new RangeError(expected(file), { cause: error }) : error;
  });
  if (!/^\s*\d{1,9}\s*$/.test(text)) throw new RangeError(expected(file));
  return Number(text);
}

const expected = (file: string): string => `${file}: expected a number of messages, 0 to 999999999`;
/** A number and what may stand around it have room in it. */
const numberOctets = 64;

async function beginningOf(path: string): Promise<string> {
  const handle = await openFile(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(numberOctets), 0, numberOctets, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
