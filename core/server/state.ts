import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { Identity } from '../auth/login.ts';
import type { Claim, PluginState } from '../plugin/state.ts';
import { Failure } from '../protocol/failure.ts';
import { type LockLook, SessionLocks } from './session-locks.ts';
import { makeStateDir, refuseFaulty, syncFolder } from './state-folder.ts';

/** A client that hangs up and comes again meets its own old session for a moment; so long it is waited for. */
const claimPatienceMs = 1000;
const claimPauseMs = 50;
/** So many users' last claims are kept in mind. */
const maxClaims = 10_000;

/**
 * State on disk: `stateDir` (0711) with a folder for each uid (0700, its own). With `isolation: 'none'` one process
 * serves everybody as one uid, so there is one folder.
 */
export class State implements PluginState {
  readonly #stateDir: string;
  #ownLocks: SessionLocks | undefined;
  /** Whose folder has been waited for. */
  #durableUid: number | undefined;
  /** What each user's last claim was for; the longest ago is first. */
  readonly #claimed = new Map<string, string>();

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** Makes the folders, or throws an Error that says what is wrong with those that are there. */
  async prepare(): Promise<void> {
    await makeStateDir(this.#stateDir);
    await refuseFaulty(this.folderOfUid(this.#uid));
    await this.#makeOwnFolder();
  }

  get folder(): string {
    return this.#stateDir;
  }

  async folderOf(): Promise<string> {
    await this.#makeOwnFolder();
    return this.folderOfUid(this.#uid);
  }

  folderOfUid(uid: number): string {
    return join(this.#stateDir, String(uid));
  }

  /** The uids that have ever been served. */
  async uids(): Promise<readonly number[]> {
    const names = await readdir(this.#stateDir);
    return names.filter((name) => /^(0|[1-9][0-9]*)$/.test(name)).map(Number);
  }

  async claim({ user }: Pick<Identity, 'user'>, key: string): Promise<Claim> {
    this.#remember(user, key);
    const giveUpAtMs = performance.now() + claimPatienceMs;
    for (;;) {
      const release = await this.#sessionLocks.tryTake(key);
      if (release !== undefined) return claimOf(release);
      if (performance.now() >= giveUpAtMs) {
        throw new Failure('the maildrop is in use by another session', { code: 'IN-USE' });
      }
      await delay(claimPauseMs);
    }
  }

  /** The lock on the maildrop that the user's last session in this process asked for; undefined where there was none. */
  async lockOf(user: string): Promise<LockLook | undefined> {
    const key = this.#claimed.get(user);
    return key === undefined ? undefined : this.#sessionLocks.look(key);
  }

  #remember(user: string, key: string): void {
    this.#claimed.delete(user);
    this.#claimed.set(user, key);
    const [oldest] = this.#claimed.size > maxClaims ? this.#claimed.keys() : [];
    if (oldest !== undefined) this.#claimed.delete(oldest);
  }

  /** Asked anew each time: a worker becomes the user long after this was made. */
  get #uid(): number {
    return process.getuid?.() ?? 0;
  }

  get #sessionLocks(): SessionLocks {
    this.#ownLocks ??= new SessionLocks(join(this.folderOfUid(this.#uid), 'sessions'));
    return this.#ownLocks;
  }

  async #makeOwnFolder(): Promise<void> {
    const uid = this.#uid;
    await mkdir(this.folderOfUid(uid), { recursive: true, mode: 0o700 });
    if (this.#durableUid === uid) return;
    // Also one that was there: who made it may have died before this. Root waits for what it makes for a user, who may not.
    await syncFolder(this.#stateDir);
    this.#durableUid = uid;
  }
}

/** May be released twice: the second time the lock may be another session's. */
function claimOf(release: () => void): Claim {
  let isReleased = false;
  return {
    async release() {
      if (!isReleased) release();
      isReleased = true;
    },
  };
}
