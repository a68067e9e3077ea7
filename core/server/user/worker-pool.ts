// Over 250 lines: who gets a process, who waits for one and whose ends are one piece of state.
import type { KeyObject } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { Failure } from '../../protocol/failure.ts';
import { longestStartMs } from '../ipc/longest-start.ts';
import type { Ending } from '../master/ending.ts';
import type { StartPatience } from '../master/start-patience.ts';
import { Quota } from '../quota.ts';
import type { Account } from './account.ts';
import type { CarriedConnectionFacts } from './connection-facts.ts';
import { Spares, type SparesOptions } from './spares.ts';
import type { StreamPairs } from './stream-pairs.ts';
import { refuseSystemUid, TicketGate } from './ticket-gate.ts';
import { accountKeyOf, keyToldAs, TicketRefused, toldKey } from './ticket.ts';
import type { Assigned } from './user-authority.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface WorkerPoolOptions extends SparesOptions {
  readonly pairs: StreamPairs;
  /** Of the auth process, which seals tickets with it: base64. */
  readonly key: string;
  readonly minUid: number;
  /** Whom fronts run as: a worker with their uid could look into them. */
  readonly frontUid: number;
  /** Sessions that one user may have at one time. */
  readonly sessionsPerUser?: number;
  /** Where they are counted, by user: together with those of other pools. */
  readonly sessionsOfUsers?: Map<string, number>;
  /** Whether a user's process that has ended left something half done. */
  readonly leavesBehind: (uid: number) => Promise<boolean>;
  /** Makes locks in spools for workers; undefined where no store wants any there. */
  readonly locker?: { introduce(worker: WorkerProcess, uid: number): void } | undefined;
  /** Users that are served at one time. */
  readonly maxUsers: number;
  /** Milliseconds that a login waits when there are so many. */
  readonly patienceMs: number;
}

type User = Account;

/** A session that is on its way to its worker. */
interface Handed {
  /** Sealed. */
  readonly ticket: string;
  readonly facts: CarriedConnectionFacts;
  readonly lent: Socket | undefined;
}

/** What a user has taken. */
interface Place {
  readonly user: User;
  readonly worker: WorkerProcess;
  /** Resolves when the worker serves the user. */
  readonly ready: Promise<void>;
}

/** The master's workers: one for each user who has sessions, and some that wait for the next. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  /** Of the auth process that there is, and of the one before. */
  #keys: readonly KeyObject[];
  readonly #gate: TicketGate;
  readonly #places = new Map<string, Place>();
  readonly #spares: Spares;
  #rehearsing: WorkerProcess | undefined;
  /** Who waits for a user's process to end. The longest waits first. */
  readonly #waiting: (() => void)[] = [];
  readonly #sessionsOf: Quota;
  #isStopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#keys = [keyToldAs(options.key)];
    this.#gate = new TicketGate(
      (account) => this.#keys.slice(0, 1).map((key) => accountKeyOf(account, key)),
      options,
    );
    this.#sessionsOf = new Quota(options.sessionsPerUser ?? Infinity, { taken: options.sessionsOfUsers });
    this.#spares = new Spares(options);
  }

  /** Those that are users, or about to be. */
  get workers(): readonly WorkerProcess[] {
    return [...this.#places.values()].map(({ worker }) => worker);
  }

  /**
   * Resolves when a process has begun as a user's does: it has loaded everything, given up root for this account, which has no mail, and
   * plugins have started in it. Then it ends. Rejects with an Error for the operator where it cannot.
   */
  async rehearse(as: Account, patience: StartPatience): Promise<void> {
    const worker = this.#spares.take();
    this.#spares.fill();
    this.#rehearsing = worker;
    const { uid, gid } = as;
    const begun = worker.loaded.then(() => worker.begin({ kind: 'rehearse', uid, gid }));
    try {
      await patience.with(begun, worker);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`no process of a user could begin: ${reason}`, { cause });
    } finally {
      this.#rehearsing = undefined;
      worker.retire();
    }
  }

  /** How many processes wait for a user. */
  get spares(): number {
    return this.#spares.count;
  }

  /** Of all its processes. */
  get pids(): readonly number[] {
    return this.#spares.running.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Another auth process seals tickets from here on. Those that this one has let in by then are on their way, and go on. */
  trust(key: string): void {
    this.#keys = [keyToldAs(key), ...this.#keys.slice(0, 1)];
    for (const { user, worker } of this.#places.values()) worker.trust(this.#toldKeysOf(user));
  }

  /**
   * Hands a session over to the process of its user, with the connection that is `lent`, which stays the caller's, too; or else
   * with a stream, the other end of which is for the front. Throws a TicketRefused, and a
   * Failure in words for the client where there is no process for it in time.
   */
  async assign(sealed: string, facts: CarriedConnectionFacts, lent?: Socket): Promise<Assigned> {
    const { identity } = this.#gate.admit(sealed, facts.id);
    this.#refuseFronts(identity);
    const leave = this.#sessionsOf.take(identity.user);
    if (leave === undefined) throw new Failure(tooManySessions, { code: 'IN-USE' });
    try {
      const assigned = await this.#assign(identity, { ticket: sealed, facts, lent });
      void assigned.outcome.finally(leave);
      return assigned;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * Starts a process of this user's, for what a dead one has left half done. Resolves when that is dealt with. Rejects where the
   * process ends before that, or there is no place for it in time.
   */
  async recover(user: User): Promise<void> {
    refuseSystemUid(user.uid, this.#options.minUid);
    this.#refuseFronts(user);
    const { worker, ready } = await this.#placeFor(user);
    await ready;
    worker.idle();
  }

  /** Ends the spares: who comes from here on is served by a process that is started for him. */
  rest(): void {
    this.#spares.rest();
  }

  /** Nobody comes any more: resolves when the last session is over, and all processes have ended. */
  retire(): Promise<void> {
    return this.#end((worker) => worker.retire());
  }

  /** Ends the workers within the time that the configuration gives to a stop, and resolves when they have ended. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return this.#end((worker) => worker.order({ kind: 'stop' }));
  }

  /** Ends all processes at once. */
  kill(): void {
    this.#spares.kill();
  }

  #end(how: (worker: WorkerProcess) => void): Promise<void> {
    // It has no session that could suffer, and may hang.
    this.#rehearsing?.kill();
    this.#spares.rest();
    for (const worker of this.#spares.running) how(worker);
    // None of them is missed from here on.
    this.#places.clear();
    return this.#spares.allEnded();
  }

  async #assign(user: User, session: Handed): Promise<Assigned> {
    const { facts } = session;
    const worker = await this.#freeWorkerFor(user, facts.id);
    const outcome = worker.expected(facts.id);
    try {
      const stream = await this.#handOver(worker, session);
      return {
        stream,
        outcome,
        end: (how) => worker.order({ kind: 'end', session: facts.id, how }),
        whenStalled: (tell) => worker.whenStalled(facts.id, tell),
      };
    } catch (cause) {
      worker.forget(facts.id);
      throw new Failure('the login came to nothing, try again', { code: 'SYS/TEMP', cause });
    }
  }

  /** Gives the front's end of a stream, where no connection is lent. */
  async #handOver(worker: WorkerProcess, { ticket, facts, lent }: Handed): Promise<Socket | undefined> {
    if (lent !== undefined) {
      // Nobody can tell whether one that has died had begun to speak: nobody else may speak in its place.
      await worker.serveLent(ticket, facts, lent).catch(() => worker.forget(facts.id));
      return undefined;
    }
    const [ofWorker, ofFront] = await this.#options.pairs.make();
    await worker.serve(ticket, facts, ofWorker).catch((error: unknown) => {
      ofFront.destroy();
      throw error;
    });
    return ofFront;
  }

  /** The user's worker, which expects the session: from the first moment, so that it is not taken for idle. */
  async #freeWorkerFor(user: User, session: string): Promise<WorkerProcess> {
    const place = await this.#placeFor(user, session);
    const { worker } = place;
    try {
      if (!worker.isReady) await readyInTime(place);
      return worker;
    } catch (cause) {
      worker.forget(session);
      throw new Failure('the maildrop cannot be opened now, try again', { code: 'SYS/TEMP', cause });
    }
  }

  #refuseFronts({ uid }: User): void {
    if (uid !== this.#options.frontUid) return;
    throw new TicketRefused(`uid ${uid} is the fronts' own, so no mail can be its`);
  }

  /** Where there is a session for it, that is expected from the first moment on. */
  async #placeFor(user: User, session?: string): Promise<Place> {
    const giveUpAtMs = performance.now() + this.#options.patienceMs;
    for (;;) {
      const place = this.#places.get(keyOfUser(user)) ?? this.#take(user);
      if (session !== undefined) place?.worker.expect(session);
      if (place !== undefined) return place;
      await this.#endOfAnother(giveUpAtMs - performance.now());
    }
  }

  /** A new place; undefined where all are taken. */
  #take(user: User): Place | undefined {
    if (this.#isStopping) throw new Failure('the server is being stopped', { code: 'SYS/TEMP' });
    if (this.#places.size >= this.#options.maxUsers) return undefined;
    const worker = this.#spares.take();
    const place: Place = { user, worker, ready: this.#become(worker, user) };
    const key = keyOfUser(user);
    this.#places.set(key, place);
    const leave = (): void => {
      if (this.#places.get(key) === place) this.#places.delete(key);
      this.#wakeAll();
    };
    worker.idle = () => {
      if (worker.sessions > 0) return;
      leave();
      worker.retire();
    };
    worker.free = () => {
      if (this.#waiting.length > 0) worker.idle();
    };
    void worker.ended.then((ending) => {
      const isLost = this.#places.get(key) === place;
      leave();
      return isLost ? this.#lookBehind(place, ending) : undefined;
    });
    void this.#fillAfter(place.ready);
    // Others may wait for the same user.
    this.#wakeAll();
    return place;
  }

  /** One that loads would take the processor from the one that somebody waits for. */
  async #fillAfter(ready: Promise<void>): Promise<void> {
    const late = delay(fillAtLastMs, undefined, { ref: false });
    await Promise.race([ready.catch(() => {}), late]);
    await delay(firstAnswerMs, undefined, { ref: false });
    this.#spares.fill();
  }

  /** Whoever still finds no place waits on, in the same order. */
  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** A user's process has died: what it was at is finished now, and not at his next login. */
  async #lookBehind({ user, worker, ready }: Place, ending: Ending): Promise<void> {
    const { log, leavesBehind } = this.#options;
    log.error('the process of a user has died', { uid: user.uid, child: worker.pid, ...ending });
    try {
      // One that died before it served would only die again.
      const hasServed = await ready.then(
        () => true,
        () => false,
      );
      if (hasServed && !this.#isStopping && (await leavesBehind(user.uid))) await this.recover(user);
    } catch (error) {
      log.error('what a dead process left half done is left to the next login', { uid: user.uid, error });
    }
  }

  async #become(worker: WorkerProcess, user: User): Promise<void> {
    await worker.loaded;
    const { locker } = this.#options;
    const hasLocker = locker !== undefined;
    const { uid, gid } = user;
    const ready = worker.begin({ kind: 'become', uid, gid, keys: this.#toldKeysOf(user), hasLocker });
    // What it redoes before it is ready has to be locked, too.
    locker?.introduce(worker, uid);
    await ready;
  }

  #keysOf(user: User): readonly KeyObject[] {
    return this.#keys.map((key) => accountKeyOf(user, key));
  }

  #toldKeysOf(user: User): string[] {
    return this.#keysOf(user).map(toldKey);
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
}

/** No front watches over a connection that it has lent, so that nobody else would tell the client. */
async function readyInTime({ worker, ready }: Place): Promise<void> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const error = new Error(
    `process ${worker.pid ?? 'that never began'} has not begun in ${longestStartMs} ms`,
  );
  const timer = setTimeout(() => reject(error), longestStartMs);
  await Promise.race([ready, tooLate]).finally(() => clearTimeout(timer));
}

/** Whoever has become a user has said his first word by then, in milliseconds; one that redoes much is not waited for. */
const firstAnswerMs = 100;
const fillAtLastMs = 1000;

const tooManySessions = 'too many sessions of this user, end one of them';

const keyOfUser = ({ uid, gid }: User): string => `${uid}:${gid}`;
