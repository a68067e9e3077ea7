import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';

import { errorCode, type Files, type OpenFile } from './commit/index.ts';

/**
 * Opens a copy of a file, made under this name, which is free again before anybody reads: when the process dies, the copy is
 * gone, too. It shares the disk with the original where the file system can (Btrfs, XFS). Throws system errors.
 */
export async function privateCopyOf(file: OpenFile, path: string, files: Files): Promise<OpenFile> {
  await removeIfThere(files, path);
  try {
    // By its number, for the file's name may lead to another by now.
    await copyFile(
      `/proc/self/fd/${file.descriptor}`,
      path,
      constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
    );
    return await files.open(path, 'read');
  } finally {
    await removeIfThere(files, path);
  }
}

/** Who died here has left one. */
async function removeIfThere(files: Files, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
