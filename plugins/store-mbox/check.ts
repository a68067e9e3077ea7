import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

import type { Checkup } from 'popperd';

import type { Options } from './options.ts';
import { literalRootOf } from './spool-path.ts';

/** Whether this process may use a path so; root may do everything. */
export type MayUse = (path: string, mode: number) => Promise<boolean>;

/** Looks at the spool folder for `popper check`. Users' homes cannot be known here. */
export async function checkSpool(
  checkup: Checkup,
  { spool, lockMethods }: Options,
  baseFolder: string,
  mayUse: MayUse = mayAccess,
): Promise<void> {
  if (spool.startsWith('{home}/')) {
    checkup.fine(`mail lies in users' homes: ${spool}`);
    return;
  }
  const folder = literalRootOf(spool, baseFolder);
  if (!(await isFolder(folder))) {
    checkup.problem(`there is no spool folder ${folder}`, `make it, or set the option spool (now ${spool})`);
    return;
  }
  if (!(await mayUse(folder, constants.X_OK))) {
    checkup.problem(`the spool folder ${folder} may not be entered`, `chmod it, or run as another user`);
    return;
  }
  checkup.fine(`the spool folder ${folder} is there`);
  if (lockMethods.includes('dotlock') && !(await mayUse(folder, constants.W_OK))) {
    checkup.warning(
      `no dotlocks can be made in ${folder}`,
      'let the daemon write there (group mail), or leave "dotlock" out of lockMethods if no other program needs it',
    );
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const mayAccess: MayUse = async (path, mode) =>
  access(path, mode).then(
    () => true,
    () => false,
  );
