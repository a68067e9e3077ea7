import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

import { FileFault, fileFault } from './file-fault.ts';
import { type Accounts, parseAccounts } from './parse-accounts.ts';
import { readWhole, versionOf, type WholeFile } from './read-whole.ts';

export interface AccountFileOptions {
  /** Told of every problem once for each version of the file: `what` names file and line. */
  readonly report: (what: string, fix: string) => void;
  /** For so long after a look at the file the accounts count as current, where the caller allows it. */
  readonly trustedForMs?: number;
  /** A file that changed less than this ago may be in the middle of being written: it is waited for. */
  readonly settledAfterMs?: number;
  /** The same for one whose last line has no end, or that has become empty: until then the accounts from before stay. */
  readonly finishedAfterMs?: number;
}

interface Loaded {
  readonly version: string;
  readonly accounts: Accounts;
}

/** A version that was looked at and not taken, and when it is to be looked at again. */
interface Refused {
  readonly version: string;
  readonly untilMs: number;
}

/** Reading a file that does not come to rest is tried so often. */
const maxTries = 10;
/** What keeps a version from being taken may pass by itself (too many open files): it is tried again after so long. */
const retryAfterMs = 1000;
const maxReported = 20;
const lineFix = 'mend the line or remove it; until then nobody logs in by it';

/**
 * The accounts of a password file, read anew when it changes. A version that cannot be read, or not be trusted, or that
 * is still being written, never takes the place of a good one.
 */
export class AccountFile {
  readonly #file: string;
  readonly #options: Required<AccountFileOptions>;
  #loaded: Loaded | undefined;
  #refused: Refused | undefined;
  #lookedAtMs = -Infinity;
  #looking: Promise<Accounts> | undefined;
  #reported: string | undefined;

  constructor(file: string, options: AccountFileOptions) {
    this.#file = file;
    this.#options = { trustedForMs: 20, settledAfterMs: 100, finishedAfterMs: 5000, ...options };
  }

  /** The accounts as of now. Throws a FileFault where the file could never be used yet. */
  current(): Promise<Accounts> {
    // Logins that come together share one look.
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** The same, but it may be some milliseconds old: a look costs a busy server more than a session does. */
  async recent(): Promise<Accounts> {
    const isTrusted = performance.now() - this.#lookedAtMs < this.#options.trustedForMs;
    return this.#loaded !== undefined && isTrusted ? this.#loaded.accounts : this.current();
  }

  async #look(): Promise<Accounts> {
    const before = this.#loaded;
    this.#lookedAtMs = performance.now();
    try {
      const facts = await stat(this.#file, { bigint: true });
      const version = versionOf(facts);
      if (before !== undefined && (before.version === version || this.#isRefused(version)))
        return before.accounts;
      if (before !== undefined) this.#refuse(version, retryAfterMs);
      return await this.#load();
    } catch (error) {
      const fault = fileFault(this.#file, error);
      if (before === undefined) throw fault;
      this.#reportOnce(fault.message);
      return before.accounts;
    }
  }

  async #load(): Promise<Accounts> {
    const { octets, version, advice } = await this.#readSettled();
    const accounts = await parseAccounts(octets.toString('latin1'));
    this.#loaded = { version, accounts };
    this.#refused = undefined;
    this.#reported = undefined;
    if (advice !== undefined) this.#options.report(`${this.#file}: ${advice.what}`, advice.fix);
    this.#reportLines(accounts);
    return accounts;
  }

  async #readSettled(): Promise<WholeFile> {
    for (let tries = 0; tries < maxTries; tries++) {
      const facts = await stat(this.#file, { bigint: true });
      const restMs = this.#options.settledAfterMs - ageMsOf(facts);
      // A time in the future is a clock that was set back: nothing to wait for.
      if (restMs > 0 && restMs <= this.#options.settledAfterMs) {
        await setTimeout(restMs);
        continue;
      }
      const whole = await readWhole(this.#file);
      if (whole === undefined) continue;
      this.#assertFinished(whole, facts);
      return whole;
    }
    throw new FileFault(this.#file, 'does not stop changing, so it was not read');
  }

  // A program that writes in place may pause anywhere. Only the accounts from before make it worth the wait.
  #assertFinished({ octets, version }: WholeFile, facts: BigIntStats): void {
    if (this.#loaded === undefined || (octets.length > 0 && octets.at(-1) === 0x0a)) return;
    const restMs = this.#options.finishedAfterMs - ageMsOf(facts);
    if (restMs <= 0) return;
    this.#refuse(version, restMs);
    const what = octets.length === 0 ? 'is empty' : 'ends in a line without a line end';
    throw new FileFault(
      this.#file,
      `${what}, so it may not be written to its end: it is taken as it is when left alone for ${this.#options.finishedAfterMs} ms`,
    );
  }

  #refuse(version: string, forMs: number): void {
    this.#refused = { version, untilMs: performance.now() + forMs };
  }

  #isRefused(version: string): boolean {
    return this.#refused?.version === version && performance.now() < this.#refused.untilMs;
  }

  #reportLines({ problems }: Accounts): void {
    for (const { lineNumber, reason } of problems.slice(0, maxReported)) {
      this.#options.report(`${this.#file}:${lineNumber}: ${reason}`, lineFix);
    }
    const more = problems.length - maxReported;
    if (more > 0) this.#options.report(`${this.#file}: ${more} more lines have problems`, lineFix);
  }

  #reportOnce(what: string): void {
    if (this.#reported === what) return;
    this.#reported = what;
    this.#options.report(what, 'mend the file; until then the accounts that were read before stay in force');
  }
}

// Not the time of the last write alone: touch(1) and cp -p set that one, and nobody sets this.
const ageMsOf = ({ ctimeMs }: { readonly ctimeMs: bigint }): number => Date.now() - Number(ctimeMs);
