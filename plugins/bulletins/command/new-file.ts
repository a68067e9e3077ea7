import { constants } from 'node:fs';
import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { lockFile } from 'popperd';

import { BulletinFolder } from '../bulletin-folder.ts';
import { highestNumber, leadingNumber } from '../bulletin-name.ts';
import { syncFolder } from '../sync-folder.ts';

/** Another `add` is waited for so long. */
const lockDeadlineMs = 10_000;
const lockRetryMs = 20;

/** Remembers the highest number that was ever given, so that none is given anew when a bulletin is removed. */
const highestName = '.highest';
const temporaryName = '.next-bulletin';

/**
 * Puts a bulletin with the next number into the folder, whole and durably, readable for all. `rest` is its name behind the number,
 * `textOf` makes its octets, as latin1, when the number is known. Gives the name. Throws system errors.
 */
export async function addBulletin(
  folderPath: string,
  rest: string,
  textOf: (number: number) => string,
): Promise<string> {
  const highest = await openLocked(join(folderPath, highestName));
  try {
    const number = await nextNumber(folderPath, highest);
    const name = `${number}.${rest}`;
    const temporary = join(folderPath, temporaryName);
    await write(temporary, textOf(number));
    await remember(highest, number);
    // Not a rename: what somebody else has put there meanwhile stays.
    await link(temporary, join(folderPath, name));
    await unlink(temporary);
    await syncFolder(folderPath);
    return name;
  } finally {
    await highest.close();
  }
}

async function openLocked(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  const giveUpAtMs = performance.now() + lockDeadlineMs;
  while (!lockFile(handle.fd, 'exclusive')) {
    if (performance.now() > giveUpAtMs) {
      await handle.close();
      throw new Error(
        `another popper bulletins add has held ${path} for ${lockDeadlineMs} ms: try again later`,
      );
    }
    await delay(lockRetryMs);
  }
  return handle;
}

async function nextNumber(folderPath: string, highest: FileHandle): Promise<number> {
  const listing = await new BulletinFolder(folderPath).list();
  const remembered = leadingNumber(await highest.readFile('latin1')) ?? 0;
  const number = Math.max(listing.highest, remembered) + 1;
  if (number > highestNumber)
    throw new Error(`there is no number above ${highestNumber}: remove what has it`);
  return number;
}

async function write(path: string, text: string): Promise<void> {
  // What an `add` that died has left.
  await unlink(path).catch(() => {});
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.writeFile(text, 'latin1');
    // Whatever the umask: each user's session reads it as the user.
    await handle.chmod(0o644);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function remember(highest: FileHandle, number: number): Promise<void> {
  await highest.write(`${number}\n`, 0, 'latin1');
  await highest.sync();
}
