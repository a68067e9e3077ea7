import { stat } from 'node:fs/promises';

import type { Checkup, KnownUser } from 'popperd';

import type { BulletinFolder } from './bulletin-folder.ts';
import { bulletinCount, readable } from './bulletin-name.ts';
import { examine } from './examine.ts';
import type { Groups } from './groups.ts';

/** For `popper check`: whether bulletins can be read, and who they are for is known. */
export async function lookOver(folder: BulletinFolder, groups: Groups, checkup: Checkup): Promise<void> {
  for (const name of groups.names) {
    const unknown = await groups.whyUnknown(name);
    if (unknown !== undefined) checkup.problem(`groups.${name}: ${unknown}`, 'mend groups or groupFile');
  }
  try {
    const { bulletins, highest, strange } = await folder.list();
    checkup.fine(bulletinCount(bulletins.length, highest));
    await lookAtFolder(folder, checkup);
    for (const name of strange) {
      const what = `${folder.path}/${readable(name)}: the number is too high, so it is no bulletin`;
      checkup.warning(what, 'give it the next number');
    }
    for (const bulletin of bulletins) {
      const { fault, warnings } = await examine(folder, groups, bulletin);
      for (const { what, fix } of warnings) checkup.warning(what, fix);
      if (fault !== undefined)
        checkup.problem(`${fault.what}: nobody gets it, nor those behind it`, fault.fix);
    }
  } catch (error) {
    const what = `${folder.path}: ${error instanceof Error ? error.message : String(error)}`;
    checkup.problem(what, `mkdir -m 755 ${folder.path}, or mend folder`);
  }
}

async function lookAtFolder({ path }: BulletinFolder, checkup: Checkup): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o002) !== 0)
    checkup.problem(`${path}: everybody may write mail to everybody here`, `chmod o-w ${path}`);
  if ((mode & 0o005) !== 0o005) {
    const what = `${path}: not everybody may read it, and users' sessions do so as themselves with isolation: user`;
    checkup.warning(what, `chmod o+rx ${path}`);
  }
}

/** Where counters lie in homes: who shares one shares the bulletins, and gets but some of them. */
export function lookAtHomes(users: readonly KnownUser[], checkup: Pick<Checkup, 'problem'>): void {
  for (const [home, sharers] of Map.groupBy(users, ({ identity }) => identity.home)) {
    const names = new Set(sharers.map(({ identity }) => identity.user));
    if (names.size < 2) continue;
    const [one, other] = names;
    checkup.problem(
      `${names.size} users (${one}, ${other}) have one home, ${home}: each bulletin would reach one of them alone`,
      'bulletins: counters: state, or a home for each',
    );
  }
}
