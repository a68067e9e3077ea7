import { statSync } from 'node:fs';

import { codeOf } from '../config/error-facts.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { AuthUser, KnownUser } from '../plugin/checkup.ts';
import { canShareSockets } from '../server/master/sockets.ts';
import {
  type Account,
  AccountFault,
  accountOfAuth,
  accountOfFronts,
  actingAs,
} from '../server/user/account.ts';
import type { Settings } from '../settings.ts';
import type { Findings } from './check-tls.ts';
import { count } from './explain.ts';

/** What `popper check` says of `isolation: 'user'`: whether this machine lets popper become the users. */
export function checkUsers({ settings }: LoadedConfig, findings: Findings): void {
  const { isolation, user, authUser, minUid, stateDir } = settings;
  if (isolation !== 'user') return;
  if (!canShareSockets)
    findings.problem("isolation: 'user' needs Node 24.21", "update Node, or set isolation: 'none'");
  try {
    const account = accountOfFronts(user);
    findings.fine(`isolation: strangers are talked to as ${user} (uid ${account.uid})`);
    if (authUser !== undefined) {
      const { uid } = accountOfAuth(authUser, { fronts: account, minUid });
      findings.fine(`isolation: passwords are checked as ${authUser} (uid ${uid})`);
    }
    checkReach({ account, stateDir }, findings);
  } catch (error) {
    if (!(error instanceof AccountFault)) throw error;
    findings.problem(error.what, error.fix);
  }
}

/** And of those that plugins let in: whoever has a low uid would be refused behind his login. */
export function checkUids(
  users: readonly KnownUser[],
  { isolation, minUid }: Settings,
  findings: Findings,
): void {
  if (isolation !== 'user') return;
  const low = users.map(({ identity }) => identity).filter(({ uid }) => uid < minUid);
  const [lowest] = low.filter(({ uid }) => uid > 0).toSorted((one, other) => one.uid - other.uid);
  if (low.length === 0) return;
  const names = low.slice(0, mostNamed).map(({ user, uid }) => `${user} (${uid})`);
  const more = low.length > mostNamed ? ', ...' : '';
  findings.warning(
    `minUid: ${count(low.length, 'user')} with a uid below ${minUid} can log in and will have no mail: ${names.join(', ')}${more}`,
    `${lowest === undefined ? '' : `minUid: ${lowest.uid}, where they are people; else `}lock them, so that nobody tries`,
  );
}

const mostNamed = 5;

/** Who do the work of root with `isolation: 'user'`. Those that are missing are nobody, or cannot be had, which `checkUsers` tells. */
export interface Accounts {
  readonly front?: Account;
  readonly auth?: AuthUser;
}

export function accountsOf({ isolation, user, authUser, minUid }: Settings): Accounts {
  if (isolation !== 'user') return {};
  const front = unlessFaulty(() => accountOfFronts(user));
  if (front === undefined || authUser === undefined) return { ...(front && { front }) };
  const auth = unlessFaulty(() => accountOfAuth(authUser, { fronts: front, minUid }));
  return { front, ...(auth && { auth: { name: authUser, ...auth } }) };
}

function unlessFaulty(find: () => Account): Account | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof AccountFault) return undefined;
    throw error;
  }
}

/** Does something synchronous with the rights of this account; where there is none, with one's own. */
export function actingWith(account: Account | undefined, act: () => void): void {
  if (account === undefined) act();
  else actingAs(account, act);
}

interface Reach {
  readonly account: Account;
  readonly stateDir: string;
}

/** Users enter their own folders. */
function checkReach({ account, stateDir }: Reach, findings: Findings): void {
  if (isRefused(account, () => statSync(`${stateDir}/.`))) {
    const fix = `chmod 711 ${stateDir}, and the folders above it`;
    findings.problem(`stateDir: users cannot reach their folders in ${stateDir}`, fix);
  }
}

function isRefused(account: Account, look: () => unknown): boolean {
  try {
    actingAs(account, look);
    return false;
  } catch (error) {
    return codeOf(error) === 'EACCES';
  }
}
