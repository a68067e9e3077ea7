import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Core } from '../../core.ts';
import type { SpoolLock } from '../../plugin/spool-locks.ts';
import { showWork } from '../process-title.ts';
import { type LockerOrder, lockerOrderSchema, type LockerReport } from './locker-messages.ts';
import { OrphanedLocks } from './locker-orphans.ts';
import { WorkersLocks } from './locker-worker.ts';
import { type MasterEnd, MasterLink } from './master-link.ts';
import { complaintAboutStart } from './rights.ts';

export interface LockerOptions {
  readonly core: Core;
  /** Milliseconds that the lock of a dead worker stays for the process that redoes what it left. */
  readonly orphanPatienceMs?: number;
}

/** A spare becomes a user within milliseconds; without one a process has to load everything first. */
const defaultOrphanPatienceMs = 5000;

/**
 * The process that makes locks in spools for workers, whose users may not. It has no rights but group mail, reads no
 * octet of a client, and lets each worker lock what belongs to its uid (`locker-rule.ts`). Resolves when it is to exit. Throws
 * where it has more rights than it should, and where plugins do not start.
 */
export async function runLocker(end: MasterEnd, options: LockerOptions): Promise<void> {
  refuseRights();
  const { core } = options;
  const master = new MasterLink<LockerOrder, LockerReport>(end, lockerOrderSchema);
  showWork('popper: locker', core.pluginsAtWork);
  process.umask(0o077);
  process.chdir('/');
  const locker = new Locker(options);
  await Promise.race([core.hooks.start.promise('locker'), master.gone]);
  master.ordered = (order, stream) => locker.obey(order, stream);
  master.tell({ kind: 'ready', isWanted: core.spoolLocks.isUsed });
  const alive = (): void => master.tell({ kind: 'alive' });
  setInterval(alive, Math.min(1000, core.settings.blockedTimeoutMs / 4)).unref();
  alive();
  await Promise.race([locker.stopped, master.gone]);
  await locker.end();
  await core.hooks.stop.promise('locker');
}

/** It was started as the user that it is to be, with one group. */
function refuseRights(): void {
  const complaint = complaintAboutStart();
  if (complaint !== undefined) throw new Error(`the locker may not run with ${complaint}`);
}

class Locker {
  /** Resolves when the master says so. */
  readonly stopped: Promise<void>;
  readonly #core: Core;
  readonly #orphans: OrphanedLocks;
  /** Of the workers that are there. */
  readonly #workers = new Map<WorkersLocks, Promise<void>>();
  readonly #releasing = new Set<Promise<void>>();
  readonly #stop: () => void;

  constructor({ core, orphanPatienceMs = defaultOrphanPatienceMs }: LockerOptions) {
    this.#core = core;
    this.#orphans = new OrphanedLocks(orphanPatienceMs, (path, lock) => this.#release(path, lock));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stopped = promise;
    this.#stop = resolve;
  }

  obey(order: LockerOrder, stream: Socket | undefined): void {
    if (order.kind === 'worker' && stream !== undefined) this.#lendTo(order.uid, stream);
    if (order.kind === 'clear') void this.#clear();
    if (order.kind === 'stop') this.#stop();
  }

  /** When the workers have ended, or should have. What one that hangs has locked stays on the disk, and grows old. */
  async end(): Promise<void> {
    const patienceMs = this.#core.settings.stopTimeoutMs + stopMarginMs;
    await Promise.race([Promise.all(this.#workers.values()), delay(patienceMs, undefined, { ref: false })]);
    this.#orphans.releaseAll();
    await Promise.all(this.#releasing);
  }

  #lendTo(uid: number, stream: Socket): void {
    const { spoolLocks, log } = this.#core;
    const kindOf = (name: string) => spoolLocks.get(name);
    const locks = new WorkersLocks(uid, stream, { kindOf, orphans: this.#orphans, log });
    this.#workers.set(
      locks,
      locks.serve().finally(() => this.#workers.delete(locks)),
    );
  }

  /** Locks of a former locker that no worker has any more. One that hangs may have one: it is waited for. */
  async #clear(): Promise<void> {
    await Promise.all([...this.#workers.keys()].map(({ begun }) => begun));
    for (const kind of this.#core.spoolLocks.kinds) {
      await kind.clear().catch((error: unknown) => {
        this.#core.log.warn('locks that a dead process left could not be taken away; mail may be late', {
          error,
        });
      });
    }
  }

  #release(path: string, lock: SpoolLock): void {
    const releasing = lock
      .release()
      .then(
        () =>
          this.#core.log.warn('a worker died with a mailbox locked, so the lock was taken away', { path }),
        (error: unknown) =>
          this.#core.log.error('a lock could not be let go; deliveries wait for it', { path, error }),
      )
      .finally(() => this.#releasing.delete(releasing));
    this.#releasing.add(releasing);
  }
}

/** How much longer than a worker it waits for one that is being stopped, in milliseconds. */
const stopMarginMs = 5000;
