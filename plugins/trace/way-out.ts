import { lstatSync } from 'node:fs';
import { constants, userInfo } from 'node:os';
import { dirname } from 'node:path';

import { type CannotTrace, errnoOf } from './trace-file.ts';

const { EACCES, ENOENT } = constants.errno;

/** What to do so that this user, who is looking, can write the trace; undefined where nobody knows who it will be. */
export function wayOut({ errno, path }: CannotTrace, user: string | undefined): string {
  const otherwise = `name a regular file, no link, in a folder where ${user ?? 'popper'} may write`;
  const way = user === undefined || errno !== EACCES ? undefined : wayIn(path, user);
  return way === undefined ? otherwise : `${way}, or ${otherwise}`;
}

function wayIn(path: string, user: string): string | undefined {
  const errno = errnoOfLook(path);
  if (errno === undefined) return `chown ${user} ${path}`;
  // Over one that is there it would empty it.
  if (errno === ENOENT) return `install -o ${user} -m 600 /dev/null ${path}`;
  if (errno !== EACCES) return undefined;
  const folder = closedFolderAbove(path);
  return `${folder} is closed to ${user}: setfacl -m u:${user}:x ${folder}`;
}

/** undefined where something is there. `existsSync` would ask for whoever started the program. */
function errnoOfLook(path: string): number | undefined {
  try {
    lstatSync(path);
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}

/** The first one on the way to it. */
function closedFolderAbove(path: string): string {
  const folder = dirname(path);
  return errnoOfLook(folder) === EACCES ? closedFolderAbove(folder) : folder;
}

/** Whom this process is; its uid where the system has no name for it. */
export function ownUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
}
