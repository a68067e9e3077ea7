import type { Checkup, Identity } from 'popperd';

import { accountFile } from './account-file.ts';
import { type CryptoOfNode, lackOfArgon2 } from './argon2.ts';
import { FileFault } from './file-fault.ts';
import type { Account } from './parse-accounts.ts';
import { systemFile, systemUsers } from './system-users.ts';
import { tryToRead } from './try-to-read.ts';

interface Looked {
  readonly path: string;
  readonly identityOf: (account: Account) => Identity;
  /** Whether a line that names no uid means the daemon's own, and not one that the operator chose for all. */
  readonly isOwnByDefault: boolean;
  readonly system?: string;
  readonly cryptoOfNode?: CryptoOfNode;
}

/** So many users are named; of the others it is told how many there are. */
const maxNamed = 20;

/** For `popper check`: how many users there are, and whose mail would be read as another than the system has it. */
export async function lookOver(looked: Looked, checkup: Checkup): Promise<void> {
  const report = (what: string, fix: string): void => checkup.warning(what, fix);
  const file = accountFile(looked.path, report, checkup.authUser);
  tryToRead([looked.path], checkup);
  try {
    const { byUser } = await file.current();
    checkup.fine(`${looked.path}: ${byUser.size} ${byUser.size === 1 ? 'user' : 'users'}`);
    tellOfLack(byUser.values(), looked, checkup);
    await warnOfStrangers(byUser.values(), looked, checkup);
    tellOfUids(byUser.values(), looked, checkup);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    checkup.problem(`nobody can log in by ${error.what}`, error.fix);
  }
}

/** Whose hash this Node cannot compute is told to come back later, for ever. */
function tellOfLack(accounts: Iterable<Account>, { path, cryptoOfNode }: Looked, checkup: Checkup): void {
  const lack = lackOfArgon2(cryptoOfNode);
  const users = Array.from(accounts, ({ stored }) => stored.kind).filter((kind) => kind === 'argon2').length;
  if (lack === undefined || users === 0) return;
  const whose = users === 1 ? 'the one user with an argon2 hash' : `${users} users with argon2 hashes`;
  checkup.problem(`${path}: ${whose} cannot log in: ${lack.what}`, lack.fix);
}

/** Their mbox in the system's spool belongs to the uid that the system has for them, and to no other. */
async function warnOfStrangers(
  accounts: Iterable<Account>,
  { path, identityOf, isOwnByDefault, system = systemFile }: Looked,
  checkup: Checkup,
): Promise<void> {
  const known = await systemUsers(system);
  const strangers = Array.from(accounts).flatMap((account) => {
    const uid = known.get(account.user)?.uid;
    const isMeant = account.uid !== undefined || !isOwnByDefault;
    return uid === undefined || isMeant || uid === identityOf(account).uid
      ? []
      : [{ user: account.user, uid }];
  });
  for (const { user, uid } of strangers.slice(0, maxNamed)) {
    checkup.warning(
      `${path}: ${user} has no uid here, and is uid ${uid} in ${system}: an mbox of his in the system's spool is refused`,
      `popper passwd add ${path} ${user} --uid ${uid}; or, where all mail belongs to one uid, set the option uid`,
    );
  }
  const more = strangers.length - maxNamed;
  if (more > 0)
    checkup.warning(`${path}: ${more} more users like that`, 'give each the uid that the system has');
}

/** Those whose uid somebody has chosen. The daemon's own is known to the daemon only: this may be run by somebody else. */
function tellOfUids(
  accounts: Iterable<Account>,
  { path, identityOf, isOwnByDefault }: Looked,
  checkup: Checkup,
): void {
  for (const account of accounts) {
    if ((account.uid === undefined && isOwnByDefault) || account.stored.kind === 'locked') continue;
    const fixOfOwner = (_: string, uid: number): string =>
      `popper passwd add ${path} ${account.user} --uid ${uid}`;
    checkup.canLogIn({ identity: identityOf(account), source: path, fixOfOwner });
  }
}
