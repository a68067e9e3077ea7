import type { SpoolLock } from '../../plugin/spool-locks.ts';

interface Orphan {
  readonly uid: number;
  readonly lock: SpoolLock;
  readonly timer: NodeJS.Timeout;
}

/**
 * Locks of workers that have died. The mailbox may be half changed, so a process that is the same user and redoes it takes the lock
 * over; where none comes for a while, the lock goes.
 */
export class OrphanedLocks {
  readonly #patienceMs: number;
  readonly #release: (path: string, lock: SpoolLock) => void;
  readonly #orphans = new Map<string, Orphan>();

  /** `release` never throws. */
  constructor(patienceMs: number, release: (path: string, lock: SpoolLock) => void) {
    this.#patienceMs = patienceMs;
    this.#release = release;
  }

  add(uid: number, path: string, lock: SpoolLock): void {
    const timer = setTimeout(() => this.#release(path, this.take(uid, path) ?? lock), this.#patienceMs);
    this.#orphans.set(path, { uid, lock, timer });
  }

  /** The lock of a dead process of this uid, from now on the caller's. */
  take(uid: number, path: string): SpoolLock | undefined {
    const orphan = this.#orphans.get(path);
    if (orphan?.uid !== uid) return undefined;
    clearTimeout(orphan.timer);
    this.#orphans.delete(path);
    return orphan.lock;
  }

  releaseAll(): void {
    for (const [path, { uid, lock }] of this.#orphans) this.#release(path, this.take(uid, path) ?? lock);
  }
}
