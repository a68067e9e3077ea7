import { constants } from 'node:fs';
import { access, lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import type { Checkup } from 'popperd';

import type { Options } from './options.ts';
import { literalRootOf } from './spool-path.ts';

type Findings = Pick<Checkup, 'fine' | 'warning' | 'problem'>;

/** Whether this process may use a path so; root may do everything. */
export type MayUse = (path: string, mode: number) => Promise<boolean>;

/** Looks at the spool folder for `popper check`. Users' homes cannot be known here. */
export async function checkSpool(
  checkup: Findings,
  { spool, lockMethods, owner, takeOverTemporaryDrop }: Options,
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
  if (basename(spool) === '{user}' && resolve(baseFolder, dirname(spool)) === resolve(folder))
    await checkMboxes(checkup, { folder, owner, mayUse });
  if (!takeOverTemporaryDrop) await checkTemporaryDrops(checkup, folder);
  if (lockMethods.includes('dotlock') && !(await mayUse(folder, constants.W_OK))) {
    checkup.warning(
      `no dotlocks can be made in ${folder}`,
      'let the daemon write there (group mail), or leave "dotlock" out of lockMethods if no other program needs it',
    );
  }
}

interface Spool {
  readonly folder: string;
  readonly owner: number | undefined;
  readonly mayUse: MayUse;
}

/** So many files are named; of the others it is told how many there are. */
const maxNamed = 20;

/** Mboxes that every login will be refused, whoever it is. */
async function checkMboxes(checkup: Findings, { folder, owner, mayUse }: Spool): Promise<void> {
  let more = 0;
  let named = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith('.') || name.endsWith('.lock')) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    const fault = await faultOf(path, found.uid, { owner, mayUse });
    if (fault === undefined) continue;
    named += 1;
    if (named <= maxNamed) checkup.warning(fault.what, fault.fix);
    else more += 1;
  }
  if (more > 0) checkup.warning(`${folder}: ${more} more files like that`, 'the same');
}

/** Mail that nobody sees: a classic popper would find it at the next login. */
async function checkTemporaryDrops(checkup: Findings, folder: string): Promise<void> {
  const left: string[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/^\..+\.pop$/.test(name)) continue;
    const found = await lstat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() && found.size > 0) left.push(name);
  }
  const [first] = left;
  if (first === undefined) return;
  const others = left.length > 1 ? ` and ${left.length - 1} more` : '';
  checkup.warning(
    `a classic popper left mail in ${join(folder, first)}${others}, where no session shows it`,
    'set the option takeOverTemporaryDrop: true, once that popper runs no more',
  );
}

async function faultOf(path: string, uid: number, { owner, mayUse }: Pick<Spool, 'owner' | 'mayUse'>) {
  if (owner !== undefined && uid !== owner) {
    const fix = `chown ${owner} ${path}, or leave the option owner out, where mail belongs to its users`;
    return { what: `${path} belongs to uid ${uid}, and the option owner says ${owner}: it is refused`, fix };
  }
  if (await mayUse(path, constants.R_OK | constants.W_OK)) return undefined;
  const fix = 'run popper (and this check) as a user who may: one of the group that the file has, or root';
  return { what: `${path} may not be read and written by this user`, fix };
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
