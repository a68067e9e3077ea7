import { availableParallelism } from 'node:os';

import { denied, unavailable, type AuthorizationSession, type LoginAttempt, type Verdict } from 'popperd';
import { z } from 'zod';

import { Gate } from './gate.ts';
import { type AccountSource, PasswordChecker, type WithPassword } from './password-checker.ts';
import { verify } from './verify.ts';

/** Hashing and file work share four threads; one is kept free so that mail is read while passwords are checked. */
const defaultChecksAtOnce = Math.min(availableParallelism(), 3);

/** The options of every plugin whose logins these are, for its own schema: what a flood of logins can cost. */
export const loginOptions = {
  others: z.boolean().default(false),
  checksAtOnce: z.int().min(1).max(64).default(defaultChecksAtOnce),
  checksWaiting: z.int().min(0).max(10_000).default(128),
} as const;

/** Whether a process of this role decides logins: others need no accounts, and may not be able to read them. */
export const decidesLogins = (role: string): boolean => role === 'all' || role === 'auth';

/** Decides a login by password; undefined where it is none, or one for other plugins. Never throws. */
export type PasswordLogins = (
  attempt: LoginAttempt,
  session: AuthorizationSession,
) => Promise<Verdict | undefined>;

/**
 * An `authenticate` tap for accounts with passwords, wherever they are kept. A wrong password, an unknown user and a
 * locked one cost the same work. `admit` is asked about an account whose password was right.
 */
export function passwordLogins<Account extends WithPassword>(
  accounts: AccountSource<Account>,
  options: z.output<z.ZodObject<typeof loginOptions>>,
  admit: (account: Account) => Verdict,
): PasswordLogins {
  const gate = new Gate({ running: options.checksAtOnce, waiting: options.checksWaiting });
  const checker = new PasswordChecker({ accounts, gate, verify });
  return async (attempt, session) => {
    if (attempt.method !== 'password') return undefined;
    try {
      const check = await checker.check(attempt.user, attempt.password.reveal(), session.signal);
      if (check.kind === 'right') return admit(check.account);
      if (check.kind === 'wrong') return denied(check.reason);
      return options.others ? undefined : denied('no such user');
    } catch (cause) {
      return unavailable(cause);
    }
  };
}
