import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Names a file that has a name only while it is made; `errno` says why it could not be. */
export class NoSpoolFile extends Error {
  readonly file: string;
  readonly errno: number;

  constructor(file: string, errno: number, cause: unknown) {
    super(`${file} cannot be made`, { cause });
    this.file = file;
    this.errno = errno;
  }
}

/**
 * A file for one message, which nobody else can open: it loses its name at once, so that whatever ends the session, or the
 * process, ends the file. Throws a NoSpoolFile.
 */
export async function openSpoolFile(folder: string): Promise<FileHandle> {
  const name = `${randomUUID()}.tmp`;
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw new NoSpoolFile(name, -errnoOf(error), error);
  }
}

/** Removes what a process left that died between making a file and taking its name away. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    // Another process may be about to do the same.
    if (name.endsWith('.tmp')) await unlink(join(folder, name)).catch(() => {});
  }
}

/** As Node has it, below 0; 0 where it is no error of the system. */
export function errnoOf(error: unknown): number {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
}
