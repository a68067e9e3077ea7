import type { Gate } from './gate.ts';
import { maxPasswordOctets } from './password-limits.ts';
import { costClassOf, type StoredPassword } from './stored-password.ts';
import type { Verify } from './verify.ts';

/** What is known of somebody who may log in by a password. */
export interface WithPassword {
  readonly stored: StoredPassword;
}

/** Everybody who may log in, as of one moment. */
export interface AccountSet<Account extends WithPassword> {
  readonly byUser: { get(user: string): Account | undefined };
  /** Checked in place of an unknown user's hash: one of the class of cost that most users have. */
  readonly decoy: StoredPassword;
}

/** Where accounts come from. What has not changed between two calls is the same object. */
export interface AccountSource<Account extends WithPassword> {
  /** As of now. */
  current(): Promise<AccountSet<Account>>;
  /** As of some milliseconds ago, where that is cheaper. */
  recent(): Promise<AccountSet<Account>>;
}

export type PasswordCheck<Account> =
  | { readonly kind: 'right'; readonly account: Account }
  /** The reason is for the log: a wrong password, or what locks the user out. */
  | { readonly kind: 'wrong'; readonly reason: string }
  | { readonly kind: 'unknown' };

/** Checks passwords of accounts: a few at a time, and with the same work whether or not there is such a user. */
export class PasswordChecker<Account extends WithPassword> {
  readonly #accounts: AccountSource<Account>;
  readonly #gate: Gate;
  readonly #verify: Verify;

  constructor(parts: {
    readonly accounts: AccountSource<Account>;
    readonly gate: Gate;
    readonly verify: Verify;
  }) {
    this.#accounts = parts.accounts;
    this.#gate = parts.gate;
    this.#verify = parts.verify;
  }

  /** Throws Busy, a FileFault, what the system lacks for a hash, or the reason of the signal; never about the password. */
  async check(user: string, password: Uint8Array, signal: AbortSignal): Promise<PasswordCheck<Account>> {
    const recent = await this.#accounts.recent();
    const check = await this.#checkAgainst(recent, { user, password, signal });
    if (check.kind === 'right') return check;
    // A user who has just been added, or given a new password, is not to be told that it is wrong.
    const current = await this.#accounts.current();
    return current === recent ? check : this.#checkAgainst(current, { user, password, signal });
  }

  async #checkAgainst(accounts: AccountSet<Account>, claim: Claim): Promise<PasswordCheck<Account>> {
    const account = accounts.byUser.get(claim.user);
    const stored = account?.stored;
    // Hashed in any case: how long the answer takes must not tell who has an account (RFC 1939 section 13).
    const isOpen = stored !== undefined && stored.kind !== 'locked';
    const matches = await this.#matches(isOpen ? stored : accounts.decoy, claim);
    if (account === undefined) return { kind: 'unknown' };
    if (account.stored.kind === 'locked') return { kind: 'wrong', reason: account.stored.reason };
    return matches ? { kind: 'right', account } : { kind: 'wrong', reason: 'the password is wrong' };
  }

  async #matches(stored: StoredPassword, { password, signal }: Claim): Promise<boolean> {
    if (password.length === 0 || password.length > maxPasswordOctets) return false;
    const verify = (): Promise<boolean> => this.#verify(stored, password);
    return costClassOf(stored) === 'quick' ? verify() : this.#gate.run(verify, signal);
  }
}

interface Claim {
  readonly user: string;
  readonly password: Uint8Array;
  readonly signal: AbortSignal;
}
