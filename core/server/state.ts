import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { Claim, PluginState } from '../plugin/state.ts';
import { Failure } from '../protocol/failure.ts';
import { SessionLocks } from './session-locks.ts';

/** A client that hangs up and comes again meets its own old session for a moment; so long it is waited for. */
const claimPatienceMs = 1000;
const claimPauseMs = 50;

/**
 * State on disk: `stateDir` (0711) with a folder for each uid (0700, its own). With `isolation: 'none'` one process
 * serves everybody as one uid, so there is one folder.
 */
export class State implements PluginState {
  readonly #stateDir: string;
  readonly #uid = process.getuid?.() ?? 0;
  readonly #sessionLocks: SessionLocks;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#sessionLocks = new SessionLocks(join(this.folderOfUid(this.#uid), 'sessions'));
  }

  /** Makes the folders, or throws an Error that says what is wrong with those that are there. */
  async prepare(): Promise<void> {
    await mkdir(this.#stateDir, { recursive: true, mode: 0o711 });
    await this.#makeOwnFolder();
    await refuseForeign(this.#stateDir, this.#uid);
    await refuseForeign(this.folderOfUid(this.#uid), this.#uid);
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

  async claim(_identity: unknown, key: string): Promise<Claim> {
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

  async #makeOwnFolder(): Promise<void> {
    await mkdir(this.folderOfUid(this.#uid), { recursive: true, mode: 0o700 });
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

/** What lies there is parsed and believed, so nobody else may write there. */
async function refuseForeign(folder: string, uid: number): Promise<void> {
  const stat = await lstat(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is no folder: move it away`);
  if (stat.uid !== uid) {
    throw new Error(
      `${folder} belongs to uid ${stat.uid}, popper runs as uid ${uid}: chown ${uid} ${folder}`,
    );
  }
  if ((stat.mode & 0o022) !== 0) throw new Error(`others may write to ${folder}: chmod go-w ${folder}`);
}
