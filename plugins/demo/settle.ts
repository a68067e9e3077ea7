import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { setPassword, verifyPassword } from 'popper-plugin-auth-passwd';

import { demoMbox } from './demo-mbox.ts';

export interface DemoUser {
  readonly user: string;
  /** Undefined where somebody has changed it since it was made. */
  readonly password: string | undefined;
}

const user = 'demo';

/**
 * Makes what is not there yet, and leaves what is: the folder, `password.txt` (0600, the password itself, so that a second
 * start can print it while it is right), `passwd` (its hash) and `mail/demo`. Whoever deletes the mail keeps it deleted.
 */
export async function settle(folder: string): Promise<DemoUser> {
  const [passwordFile, file] = [join(folder, 'password.txt'), join(folder, 'passwd')];
  await mkdir(join(folder, 'mail'), { recursive: true, mode: 0o700 });
  const known = await readIfThere(passwordFile);
  if (known !== undefined) return { user, password: await ifRight(file, known.trimEnd()) };
  const password = randomBytes(9).toString('base64url');
  await writeNew(join(folder, 'mail', user), demoMbox(new Date()));
  await setPassword(file, user, Buffer.from(password));
  // Last: its being there says that all the rest is.
  await writeNew(passwordFile, `${password}\n`);
  return { user, password };
}

/** Whoever looks after the passwords need not look after this file. */
async function ifRight(file: string, password: string): Promise<string | undefined> {
  const { isRight } = await verifyPassword(file, { user, password: Buffer.from(password) });
  return isRight ? password : undefined;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Writes a file that is not there; one that is stays as it is. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(text, 'latin1');
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
