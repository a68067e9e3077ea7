import type { AccountFile } from './account-file.ts';
import type { Gate } from './gate.ts';
import type { Account, Accounts } from './parse-accounts.ts';
import { maxPasswordOctets } from './password-limits.ts';
import { costClassOf, type StoredPassword } from './stored-password.ts';
import type { Verify } from './verify.ts';

export type PasswordCheck =
  | { readonly kind: 'right'; readonly account: Account }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'unknown' };

/** Checks passwords against a file: a few at a time, and with the same work whether or not there is such a user. */
export class PasswordChecker {
  readonly #file: AccountFile;
  readonly #gate: Gate;
  readonly #verify: Verify;

  constructor(parts: { readonly file: AccountFile; readonly gate: Gate; readonly verify: Verify }) {
    this.#file = parts.file;
    this.#gate = parts.gate;
    this.#verify = parts.verify;
  }

  /** Throws Busy, a FileFault, what the system lacks for a hash, or the reason of the signal; never about the password. */
  async check(user: string, password: Uint8Array, signal: AbortSignal): Promise<PasswordCheck> {
    const recent = await this.#file.recent();
    const check = await this.#checkAgainst(recent, { user, password, signal });
    if (check.kind === 'right') return check;
    // A user who has just been added, or given a new password, is not to be told that it is wrong.
    const current = await this.#file.current();
    return current === recent ? check : this.#checkAgainst(current, { user, password, signal });
  }

  async #checkAgainst(accounts: Accounts, claim: Claim): Promise<PasswordCheck> {
    const account = accounts.byUser.get(claim.user);
    const isOpen = account !== undefined && account.stored.kind !== 'locked';
    // Hashed in any case: how long the answer takes must not tell who has an account (RFC 1939 section 13).
    const matches = await this.#matches(isOpen ? account.stored : accounts.decoy, claim);
    if (account === undefined) return { kind: 'unknown' };
    return isOpen && matches ? { kind: 'right', account } : { kind: 'wrong' };
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
