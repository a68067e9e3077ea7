import { type CryptHash, matchesCrypt, type StoredPassword } from 'popper-plugin-auth-passwd';
import type { Checkup } from 'popperd';

import { dayOf } from './aging.ts';
import { refusalOf } from './refusal.ts';
import type { SystemAccount, SystemAccountSet } from './system-accounts.ts';

interface Looked {
  readonly minUid: number;
  /** The passwd file. */
  readonly source: string;
}

/** For `popper check`: how many users can log in, and whether libcrypt can compute the hashes that they have. */
export async function lookOver(
  accounts: SystemAccountSet,
  { minUid, source }: Looked,
  checkup: Checkup,
): Promise<void> {
  const all = [...accounts.users].flatMap((user) => accounts.byUser.get(user) ?? []);
  const today = dayOf(Date.now());
  const open = all.filter(({ stored }) => stored.kind !== 'locked');
  const welcome = open.filter((account) => refusalOf(account, { minUid, today }) === undefined);
  checkup.fine(`${welcome.length} of ${all.length} users can log in`);
  for (const { user, uid, gid, home } of welcome) {
    const fixOfOwner = (path: string): string => `chown ${user} ${path}, where it is his`;
    checkup.canLogIn({ identity: { user, uid, gid, home }, source, fixOfOwner });
  }
  for (const fault of await faultsOfKinds(open, accounts.decoy)) {
    checkup.problem(
      `users with such a hash cannot log in: ${fault}`,
      'give them new passwords (passwd USER), or a libcrypt that knows it',
    );
  }
}

async function faultsOfKinds(
  open: readonly SystemAccount[],
  decoy: StoredPassword,
): Promise<Iterable<string>> {
  const kinds = new Map<string, CryptHash>();
  for (const stored of [decoy, ...open.map((account) => account.stored)]) {
    if (stored.kind === 'crypt') kinds.set(stored.cost, stored);
  }
  const faults = await Promise.all(Array.from(kinds.values(), faultOf));
  return new Set(faults.filter((fault) => fault !== undefined));
}

async function faultOf(hash: CryptHash): Promise<string | undefined> {
  try {
    await matchesCrypt(hash, new Uint8Array([0x78]));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
