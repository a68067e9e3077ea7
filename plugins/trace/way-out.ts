import { existsSync } from 'node:fs';
import { constants, userInfo } from 'node:os';

import type { CannotTrace } from './trace-file.ts';

/** What to do so that this user can write the trace; undefined where nobody knows who it will be. */
export function wayOut({ errno, path }: CannotTrace, user: string | undefined): string {
  const otherwise = `name a regular file, no link, in a folder where ${user ?? 'popper'} may write`;
  if (user === undefined || errno !== constants.errno.EACCES) return otherwise;
  const make = existsSync(path) ? `chown ${user} ${path}` : `install -o ${user} -m 600 /dev/null ${path}`;
  return `${make}, or ${otherwise}`;
}

/** Whom this process is; its uid where the system has no name for it. */
export function ownUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
}
