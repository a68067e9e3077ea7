import { link, lstat, open, rm, unlink, writeFile } from 'node:fs/promises';

import { lockFile } from 'popperd';

/**
 * A delivery agent's one attempt to append a letter. `dotlock`: it honours other programs' dotlocks besides the
 * kernel's locks. Gives false where the mailbox is locked, so that it would come again later; true is a confirmation.
 */
export async function deliver(mbox: string, letter: Buffer, agent: 'fcntl' | 'dotlock'): Promise<boolean> {
  if (agent === 'dotlock' && !(await takeDotlock(mbox))) return false;
  try {
    return await append(mbox, letter);
  } finally {
    if (agent === 'dotlock') await unlink(`${mbox}.lock`);
  }
}

export const isDotlocked = async (mbox: string): Promise<boolean> =>
  (await lstat(`${mbox}.lock`).catch(() => undefined)) !== undefined;

async function append(mbox: string, letter: Buffer): Promise<boolean> {
  const file = await open(mbox, 'a', 0o600);
  try {
    if (!lockFile(file.fd, 'exclusive')) return false;
    await file.writeFile(letter);
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
}

async function takeDotlock(mbox: string): Promise<boolean> {
  const own = `${mbox}.agent`;
  await writeFile(own, '0\n', { flag: 'wx' });
  try {
    await link(own, `${mbox}.lock`);
    return true;
  } catch {
    return false;
  } finally {
    await rm(own);
  }
}
