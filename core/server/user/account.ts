import { userInfo } from 'node:os';

import { groupMail } from './privileges.ts';

/** An account of the system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Why strangers cannot be talked to as an account, and what to do about it. */
export class AccountFault extends Error {
  readonly what: string;
  readonly fix: string;

  constructor(what: string, fix: string) {
    super(`${what}: ${fix}`);
    this.what = what;
    this.fix = fix;
  }
}

/**
 * The account that strangers are talked to as. For root alone. Throws an AccountFault where the system has none of that
 * name, or where it could do more than a process that strangers talk to may.
 */
export function accountOfFronts(name: string): Account {
  const own = process.geteuid?.() ?? -1;
  if (own !== 0) {
    const what = `isolation: 'user' needs root, which alone can become the users, and this is uid ${own}`;
    throw new AccountFault(what, "start popper as root, or set isolation: 'none'");
  }
  const account = accountCalled(name);
  if (account.uid === 0 || account.gid === 0)
    throw new AccountFault(
      `user: ${name} is root, or in its group, and strangers are talked to as ${name}`,
      another,
    );
  if (account.gid === groupMail())
    throw new AccountFault(`user: the group of ${name} is mail, which may open every mailbox`, another);
  return account;
}

/** Does something synchronous with the rights of an account, and is root again afterwards. For root alone. */
export function actingAs<T>({ uid: user, gid }: Account, act: () => T): T {
  const former = { groups: process.getgroups?.() ?? [], gid: process.getegid?.() ?? 0 };
  try {
    takeGroups({ groups: [gid], gid });
    process.seteuid?.(user);
    return act();
  } finally {
    process.seteuid?.(0);
    takeGroups(former);
  }
}

function takeGroups({ groups, gid }: { readonly groups: number[]; readonly gid: number }): void {
  process.setgroups?.(groups);
  process.setegid?.(gid);
}

const howToMake = (name: string): string =>
  `useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${name}`;
const another = `make an account for it alone (${howToMake('popper')}), and set user: popper`;

function accountCalled(name: string): Account {
  try {
    // Node looks up nobody but oneself.
    process.seteuid?.(name);
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ERR_UNKNOWN_CREDENTIAL')
      throw cause;
    throw new AccountFault(`user: this system has no account ${name}`, howToMake(name));
  }
  try {
    const { uid: user, gid } = userInfo();
    return { uid: user, gid };
  } finally {
    process.seteuid?.(0);
  }
}
