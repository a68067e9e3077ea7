import { createPublicKey, type KeyObject } from 'node:crypto';

import type { Logger } from '../../log/logger.ts';
import { Failure } from '../../protocol/failure.ts';
import type { CarriedConnectionFacts } from './connection-facts.ts';
import type { StreamPairs } from './stream-pairs.ts';
import { TicketGate } from './ticket-gate.ts';
import type { Assigned } from './user-authority.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface WorkerPoolOptions {
  /** Starts a process that will be a worker. */
  readonly start: () => WorkerProcess;
  readonly pairs: StreamPairs;
  /** Of the auth process: DER (SPKI), as base64. */
  readonly publicKey: string;
  readonly minUid: number;
  /** Processes that have loaded everything and wait for a user. */
  readonly spares: number;
  /** Users that are served at one time. */
  readonly maxUsers: number;
  /** Milliseconds that a login waits when there are so many. */
  readonly patienceMs: number;
  readonly log: Logger;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** What a user has taken. */
interface Place {
  readonly worker: WorkerProcess;
  /** Resolves when the worker serves the user. */
  readonly ready: Promise<void>;
}

/** The master's workers: one for each user who has sessions, and some that wait for the next. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #gate: TicketGate;
  #publicKey: string;
  readonly #places = new Map<string, Place>();
  readonly #spares: WorkerProcess[] = [];
  /** Who waits for a user's process to end. The longest waits first. */
  readonly #waiting: (() => void)[] = [];
  #isStopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#publicKey = options.publicKey;
    this.#gate = new TicketGate(keyOf(options.publicKey), options);
    this.#refill();
  }

  /** Another auth process seals tickets from here on. */
  trust(publicKey: string): void {
    this.#publicKey = publicKey;
    this.#gate.trust(keyOf(publicKey));
    for (const { worker } of this.#places.values()) worker.order({ kind: 'trust', publicKey });
  }

  /**
   * Hands a session over to the process of its user; the stream of the answer is for the front. Throws a TicketRefused, and a
   * Failure in words for the client where there is no process for it in time.
   */
  async assign(ticket: string, facts: CarriedConnectionFacts): Promise<Assigned> {
    const { identity } = this.#gate.admit(ticket, facts.id);
    const worker = await this.#freeWorkerFor(identity, facts.id);
    const outcome = worker.expected(facts.id);
    try {
      const [ofWorker, ofFront] = await this.#options.pairs.make();
      await worker.serve(ticket, facts, ofWorker).catch((error: unknown) => {
        ofFront.destroy();
        throw error;
      });
      return {
        stream: ofFront,
        outcome,
        end: (how) => worker.order({ kind: 'end', session: facts.id, how }),
      };
    } catch (cause) {
      worker.forget(facts.id);
      throw new Failure('the login came to nothing, try again', { code: 'SYS/TEMP', cause });
    }
  }

  /** Ends the workers within the time that the configuration gives to a stop, and resolves when they have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const workers = [...this.#spares, ...[...this.#places.values()].map(({ worker }) => worker)];
    for (const worker of workers) worker.order({ kind: 'stop' });
    await Promise.all(workers.map(({ ended }) => ended));
  }

  /** The user's worker, which expects the session: from the first moment, so that it is not taken for idle. */
  async #freeWorkerFor(user: User, session: string): Promise<WorkerProcess> {
    const { worker, ready } = await this.#placeFor(user, session);
    try {
      await ready;
      return worker;
    } catch (cause) {
      worker.forget(session);
      throw new Failure('the maildrop cannot be opened now, try again', { code: 'SYS/TEMP', cause });
    }
  }

  async #placeFor(user: User, session: string): Promise<Place> {
    const giveUpAtMs = performance.now() + this.#options.patienceMs;
    for (;;) {
      const place = this.#places.get(keyOfUser(user)) ?? this.#take(user);
      place?.worker.expect(session);
      if (place !== undefined) return place;
      await this.#endOfAnother(giveUpAtMs - performance.now());
    }
  }

  /** A new place; undefined where all are taken. */
  #take(user: User): Place | undefined {
    if (this.#isStopping) throw new Failure('the server is being stopped', { code: 'SYS/TEMP' });
    if (this.#places.size >= this.#options.maxUsers) return undefined;
    const worker = this.#spares.shift() ?? this.#options.start();
    const place: Place = { worker, ready: this.#become(worker, user) };
    const key = keyOfUser(user);
    this.#places.set(key, place);
    const leave = (): void => {
      if (this.#places.get(key) === place) this.#places.delete(key);
      this.#waiting.shift()?.();
    };
    worker.idle = () => {
      if (worker.sessions > 0) return;
      leave();
      worker.order({ kind: 'retire' });
    };
    worker.free = () => {
      if (this.#waiting.length > 0) worker.idle();
    };
    void worker.ended.then(leave);
    this.#refill();
    return place;
  }

  async #become(worker: WorkerProcess, { uid, gid }: User): Promise<void> {
    await worker.loaded;
    await worker.become({ kind: 'become', uid, gid, publicKey: this.#publicKey });
  }

  /** Resolves when a user's place may be free. A live session is never ended for it. */
  #endOfAnother(patienceMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const free = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(free), 1);
        this.#options.log.warn('too many users at one time', { maxUsers: this.#options.maxUsers });
        reject(new Failure('too many users at one time, try again', { code: 'SYS/TEMP' }));
      }, patienceMs);
      this.#waiting.push(free);
      // One that has no session would have ended by itself soon.
      [...this.#places.values()].find(({ worker }) => worker.sessions === 0)?.worker.idle();
    });
  }

  #refill(): void {
    while (!this.#isStopping && this.#spares.length < this.#options.spares) {
      const spare = this.#options.start();
      this.#spares.push(spare);
      void spare.ended.then(() => this.#lose(spare));
    }
  }

  /** Not replaced at once: what has ended one that did nothing would end the next. The next user starts another. */
  #lose(spare: WorkerProcess): void {
    const index = this.#spares.indexOf(spare);
    if (index !== -1) this.#spares.splice(index, 1);
  }
}

const keyOfUser = ({ uid, gid }: User): string => `${uid}:${gid}`;

const keyOf = (publicKey: string): KeyObject =>
  createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
