import { lstat } from 'node:fs/promises';

import type { Checkup, KnownUser } from 'popperd';

import type { Options } from './options.ts';
import { spoolPathOf } from './spool-path.ts';

/** So many users are named; of the others it is told how many there are. */
const maxNamed = 20;

/** For `popper check`: users whose mbox will be refused, because it belongs to another uid than theirs. */
export async function checkOwners(
  users: readonly KnownUser[],
  checkup: Pick<Checkup, 'warning'>,
  { spool, owner }: Pick<Options, 'spool' | 'owner'>,
  baseFolder: string,
): Promise<void> {
  // Then it is not the user's uid that counts, and each file has been looked at.
  if (owner !== undefined) return;
  let more = 0;
  let named = 0;
  for (const user of users) {
    const wrong = await wrongOwner(user, spool, baseFolder);
    if (wrong === undefined) continue;
    named += 1;
    if (named <= maxNamed) checkup.warning(wrong.what, wrong.fix);
    else more += 1;
  }
  if (more > 0) checkup.warning(`${more} more users whose mbox is not theirs`, 'the same');
}

async function wrongOwner({ identity, source, fixOfOwner }: KnownUser, spool: string, baseFolder: string) {
  const path = pathOf(spool, identity, baseFolder);
  const found = path === undefined ? undefined : await lstat(path).catch(() => undefined);
  // What is no file is refused for that, whoever owns it.
  if (path === undefined || !found?.isFile() || found.uid === identity.uid) return undefined;
  const { user, uid } = identity;
  const what = `${path} belongs to uid ${found.uid}, and ${user} is uid ${uid} in ${source}: it is refused`;
  return { what, fix: fixOfOwner(path, found.uid) };
}

/** Undefined for a name that this spool has no place for; his login will say so. */
function pathOf(spool: string, identity: KnownUser['identity'], baseFolder: string): string | undefined {
  try {
    return spoolPathOf(spool, identity, baseFolder).path;
  } catch {
    return undefined;
  }
}
