import type { ChildProcess } from 'node:child_process';

import type { Logger } from '../../log/logger.ts';
import { type LockerOrder, type LockerReport, lockerReportSchema } from '../user/locker-messages.ts';
import type { StreamPairs } from '../user/stream-pairs.ts';
import type { WorkerProcess } from '../user/worker-process.ts';
import { KeptProcess } from './kept-process.ts';
import type { StartPatience } from './start-patience.ts';

export interface LockerKeeperOptions {
  readonly fork: () => ChildProcess;
  readonly pairs: StreamPairs;
  readonly blockedTimeoutMs: number;
  readonly log: Logger;
}

/** As much of a worker as matters here. */
interface Borrower extends Pick<WorkerProcess, 'meetLocker'> {
  readonly ended: Promise<unknown>;
}

/** Keeps the locker running, and brings it and the workers together. */
export class LockerKeeper {
  readonly #locker: KeptProcess<LockerOrder, LockerReport>;
  readonly #pairs: StreamPairs;
  readonly #log: Logger;
  /** Those that live, and who they are. */
  readonly #workers = new Map<Borrower, number>();
  #isWanted = true;
  #isFirst = true;

  constructor({ fork, pairs, blockedTimeoutMs, log }: LockerKeeperOptions) {
    this.#pairs = pairs;
    this.#log = log;
    this.#locker = new KeptProcess({
      what: 'the locker',
      fork,
      reports: lockerReportSchema,
      blockedTimeoutMs,
      ready: ({ isWanted }) => {
        this.#isWanted = isWanted;
        if (isWanted) void this.#introduceAll();
        else this.stop();
      },
      log,
    });
  }

  /** Resolves when it was told to end and has. */
  get ended(): Promise<void> {
    return this.#locker.ended;
  }

  get pid(): number | undefined {
    return this.#locker.pid;
  }

  /** Whether a store wants its locks; if none does, there is no locker. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Resolves when there is a locker, or none is wanted. Rejects with the reason where it cannot start. */
  start(patience: StartPatience): Promise<void> {
    return this.#locker.start(patience);
  }

  /** This worker, which is to be this uid and has begun to be, gets its locks from the locker from here on. */
  introduce(worker: Borrower, uid: number): void {
    this.#workers.set(worker, uid);
    void worker.ended.then(() => this.#workers.delete(worker));
    if (this.#locker.isReady) void this.#join(worker, uid);
  }

  /**
   * What the dead processes of an earlier daemon left half done has been redone: locks of theirs that are still there may go. Where a
   * locker dies later, the next one sees to that by itself.
   */
  clear(): void {
    if (this.#locker.isReady) this.#locker.send({ kind: 'clear' });
  }

  /** Ends it, when the workers have ended that it knows. */
  stop(): void {
    this.#locker.stop({ kind: 'stop' });
  }

  kill(): void {
    this.#locker.kill();
  }

  /** One that has just started is told of everybody first: what no worker speaks up for may go then. */
  async #introduceAll(): Promise<void> {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const joined = await Promise.all([...this.#workers].map(([worker, uid]) => this.#join(worker, uid)));
    if (!isFirst && joined.every(Boolean)) this.#locker.send({ kind: 'clear' });
  }

  /** Whether they know each other now, or the worker is no more. */
  async #join(worker: Borrower, uid: number): Promise<boolean> {
    try {
      const [ofLocker, ofWorker] = await this.#pairs.make();
      await this.#locker.give({ kind: 'worker', uid }, ofLocker).catch((error: unknown) => {
        ofWorker.destroy();
        throw error;
      });
      await worker.meetLocker(ofWorker);
      return true;
    } catch (error) {
      const isThere = this.#workers.has(worker);
      if (isThere) this.#log.warn('a worker has no locker for now: its deletions wait', { uid, error });
      return !isThere;
    }
  }
}
