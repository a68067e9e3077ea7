import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants as system } from 'node:os';

/** A bulletin is held in memory for each user who gets it. */
export const maxBulletinOctets = 16 * 1024 * 1024;

/** All of the file. Throws system errors, for one that is no regular file or too big as well. */
export async function readBulletin(path: Buffer): Promise<Uint8Array> {
  // O_NONBLOCK: a pipe under this name must not make a login wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw systemError('EINVAL', 'is no regular file');
    if (stats.size > maxBulletinOctets)
      throw systemError('EFBIG', `has more than ${maxBulletinOctets} octets`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Looks like the kernel's own. */
export function systemError(code: 'EINVAL' | 'EFBIG' | 'EBUSY', what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code, errno: -system.errno[code] });
}

/** As the C library has it in `errno`: 13 for EACCES. 0 where the error is none of the system's. */
export function errnoOf(error: unknown): number {
  if (!(error instanceof Error) || !('errno' in error)) return 0;
  return typeof error.errno === 'number' ? Math.abs(error.errno) : 0;
}
