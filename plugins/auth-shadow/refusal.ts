import { agingFault } from './aging.ts';
import type { SystemAccount } from './system-accounts.ts';

/** Why a user is not let in although the password is right, for the log; undefined for one who is. */
export function refusalOf(
  account: SystemAccount,
  { minUid, today }: { readonly minUid: number; readonly today: number },
): string | undefined {
  const { uid, shell, hasListedShell, aging } = account;
  if (uid < minUid) return `uid ${uid} is below minUid, ${minUid}`;
  if (!hasListedShell) return `${shell} is no login shell of this system`;
  return aging === undefined ? undefined : agingFault(aging, today);
}
