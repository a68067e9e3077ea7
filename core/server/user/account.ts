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
  refuseOthersThanRoot();
  const account = accountCalled('user', name);
  const speaks = `and strangers are talked to as ${name}`;
  refuseMighty(account, { key: 'user', name, instead: 'popper', speaks });
  return account;
}

/**
 * The account that passwords are checked as. For root alone. Throws an AccountFault where the system has none of that name, or where
 * it is the fronts', who could look into it.
 */
export function accountOfAuth(name: string, { fronts, minUid }: AuthBounds): Account {
  const account = accountCalled('authUser', name);
  const speaks = 'as which passwords are checked without this line';
  refuseMighty(account, { key: 'authUser', name, instead: 'popper-auth', speaks });
  const complaint = complaintAboutAuth(account, { fronts, minUid });
  if (complaint === undefined) return account;
  throw new AccountFault(`authUser: ${name} ${complaint}`, another('authUser', 'popper-auth'));
}

interface AuthBounds {
  readonly fronts: Account;
  readonly minUid: number;
}

function complaintAboutAuth({ uid, gid }: Account, { fronts, minUid }: AuthBounds): string | undefined {
  if (uid === fronts.uid) return 'is who fronts run as, and they could look into what checks passwords';
  if (gid === fronts.gid) return 'is in the group of the fronts, which could read what it reads';
  if (uid >= minUid)
    return `has uid ${uid}, and who has mail (from minUid ${minUid} on) could look into what checks passwords`;
  return undefined;
}

function refuseOthersThanRoot(): void {
  const own = process.geteuid?.() ?? -1;
  if (own !== 0) {
    const what = `isolation: 'user' needs root, which alone can become the users, and this is uid ${own}`;
    throw new AccountFault(what, "start popper as root, or set isolation: 'none'");
  }
}

interface Named {
  /** In the configuration. */
  readonly key: 'user' | 'authUser';
  readonly name: string;
  /** An account to make for it. */
  readonly instead: string;
  readonly speaks: string;
}

function refuseMighty({ uid, gid }: Account, { key, name, instead, speaks }: Named): void {
  if (uid === 0 || gid === 0)
    throw new AccountFault(`${key}: ${name} is root, or in its group, ${speaks}`, another(key, instead));
  if (gid === groupMail())
    throw new AccountFault(
      `${key}: the group of ${name} is mail, which may open every mailbox`,
      another(key, instead),
    );
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
const another = (key: string, name: string): string =>
  `make an account for it alone (${howToMake(name)}), and set ${key}: ${name}`;

function accountCalled(key: string, name: string): Account {
  try {
    // Node looks up nobody but oneself.
    process.seteuid?.(name);
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ERR_UNKNOWN_CREDENTIAL')
      throw cause;
    throw new AccountFault(`${key}: this system has no account ${name}`, howToMake(name));
  }
  try {
    const { uid: user, gid } = userInfo();
    return { uid: user, gid };
  } finally {
    process.seteuid?.(0);
  }
}
