// Over 250 lines: what stands behind the fronts of a generation begins, is introduced and ends in one place.
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Logger } from '../../log/logger.ts';
import type { Order, Report } from '../ipc/messages.ts';
import type { UsersPlan } from '../ipc/plan.ts';
import type { Account } from '../user/account.ts';
import { leavesBehind, usersWithLeftovers } from '../user/left-behind.ts';
import { makeLockersFolder, makeOwnFolder } from '../user/own-folder.ts';
import { StreamPairs } from '../user/stream-pairs.ts';
import { WorkerPool } from '../user/worker-pool.ts';
import { WorkerProcess } from '../user/worker-process.ts';
import { AuthKeeper } from './auth-keeper.ts';
import type { Child } from './child.ts';
import { FrontDesk } from './front-desk.ts';
import { LockerKeeper } from './locker-keeper.ts';
import { PemKeeper } from './pem-keeper.ts';
import { prepareStateDir } from './prepare-state-dir.ts';
import { StartPatience } from './start-patience.ts';

/**
 * So long nobody is served, in milliseconds, because of what is being dealt with. It takes a second; where a disk hangs, those wait whose
 * mail lies there, for each login deals with his own first.
 */
const recoveryMs = 30_000;
/** A process that is only tried may take so long to begin, in milliseconds. */
const rehearsalMs = 50_000;
/** Users whose leftovers are dealt with at one time. */
const recoveriesAtOnce = 4;
/** So long after a failure a front is introduced to the process that checks passwords again, in milliseconds. */
const introduceAgainMs = 200;

export interface UsersOptions {
  readonly plan: UsersPlan;
  readonly blockedTimeoutMs: number;
  /** Counted together with those of other generations. */
  readonly sessionsOfUsers: Map<string, number>;
  readonly fork: (role: 'auth' | 'worker' | 'locker', as?: Account) => ChildProcess;
  readonly log: Logger;
}

/** What a front's order to start says of itself. */
export type FrontsPart = Pick<Extract<Order, { kind: 'start' }>, 'as' | 'pem'>;

/**
 * What stands behind the fronts of a generation with `isolation: 'user'`: the process that checks passwords, and those that
 * are users. It introduces them to one another, and reads nothing of what they say by the streams that it makes.
 */
export class Users {
  readonly #options: UsersOptions;
  readonly #log: Logger;
  readonly #auth: AuthKeeper;
  readonly #desks = new Map<Child, FrontDesk>();
  #pairs: StreamPairs | undefined;
  #pem: PemKeeper | undefined;
  #pool: WorkerPool | undefined;
  #locker: LockerKeeper | undefined;
  /** Nobody new is looked after any more. */
  #isOver = false;

  constructor(options: UsersOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#auth = new AuthKeeper({
      fork: () => options.fork('auth', options.plan.auth),
      blockedTimeoutMs: options.blockedTimeoutMs,
      ready: (key) => this.#trust(key),
      log: options.log,
    });
  }

  get pool(): WorkerPool | undefined {
    return this.#pool;
  }

  /** Of the processes that are no fronts. */
  get pids(): readonly number[] {
    return [this.#auth.pid, this.#locker?.pid, ...(this.#pool?.pids ?? [])].filter(
      (pid) => pid !== undefined,
    );
  }

  /**
   * Resolves when passwords can be checked, and users served; what dead processes have left half done is dealt with by then.
   * Rejects with an Error for the operator where that cannot be; the end is still to be waited for.
   */
  async start(recovers: boolean, patience: StartPatience): Promise<void> {
    const { stateDir, front, auth, tls } = this.#options.plan;
    await prepareStateDir(stateDir);
    for (const own of auth === undefined ? [front] : [front, auth]) makeOwnFolder(stateDir, own);
    this.#pairs = await StreamPairs.open(stateDir);
    if (tls) {
      this.#pem = await PemKeeper.open(tls, this.#log);
      this.#pem.changed = (pem) => {
        for (const child of this.#desks.keys()) child.send({ kind: 'certificate', pem });
      };
    }
    // The workers that the first key begins are to find it there.
    this.#locker = await this.#startLocker(this.#pairs, patience);
    await this.#auth.start(patience);
    if (!recovers) return;
    const recovered = this.#recoverAndClear();
    const late = delay(recoveryMs, 'late' as const, { ref: false });
    if ((await Promise.race([recovered, late])) !== 'late') return;
    this.#log.warn(
      'what dead processes have left half done is still being dealt with; clients come in meanwhile',
    );
    void recovered.catch((error: unknown) => this.#log.error('recovery failed', { error }));
  }

  /** Resolves when a process has begun as a user's does. Rejects with an Error for the operator where it cannot. */
  async rehearse(patience: StartPatience): Promise<void> {
    const { front } = this.#options.plan;
    // It redoes nothing, so that there is no reason to wait for longer, not even at the first start.
    const own = patience.isEndless ? new StartPatience(rehearsalMs) : patience;
    await this.#pool?.rehearse(front, own);
  }

  get fronts(): FrontsPart {
    return { as: this.#options.plan.front, ...(this.#pem && { pem: this.#pem.pem }) };
  }

  /** A front has been started. */
  attend(front: Child): void {
    if (this.#pool === undefined) throw new Error('a front was started before there was anybody behind it');
    this.#desks.set(front, new FrontDesk(front, { pool: this.#pool, log: this.#log }));
    void front.ended.then(() => this.#desks.delete(front));
    void this.#introduce(front);
  }

  hear(front: Child, report: Report, lent: Socket | undefined): void {
    const desk = this.#desks.get(front);
    if (desk === undefined) lent?.destroy();
    else desk.hear(report, lent);
  }

  /** No new client comes: whoever is there and still logs in is served. */
  rest(): void {
    this.#isOver = true;
    this.#pool?.rest();
  }

  /** The sessions end as a stop ends them; resolves when the users' processes have ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#pool?.stop();
  }

  /** The fronts are no more. Resolves when nothing is left. */
  async end(): Promise<void> {
    this.#auth.stop();
    await Promise.all([this.#auth.ended, this.#pool?.retire()]);
    this.#locker?.stop();
    await this.#locker?.ended;
    this.#pem?.close();
    this.#pairs?.close();
  }

  /** Ends all processes at once. */
  kill(): void {
    this.#auth.kill();
    this.#locker?.kill();
    this.#pool?.kill();
  }

  /** undefined where no store wants locks in a spool, and where there is no group mail to make them with. */
  async #startLocker(pairs: StreamPairs, patience: StartPatience): Promise<LockerKeeper | undefined> {
    const { plan, blockedTimeoutMs, fork } = this.#options;
    const { stateDir, front, mailGroup: gid } = plan;
    if (gid === undefined) return undefined;
    makeLockersFolder(stateDir, gid);
    const locker = new LockerKeeper({
      fork: () => fork('locker', { uid: front.uid, gid }),
      pairs,
      blockedTimeoutMs,
      log: this.#log,
    });
    // One that hangs is to be found where all are ended.
    this.#locker = locker;
    await locker.start(patience);
    return locker.isWanted ? locker : undefined;
  }

  /** The first key makes the pool: without one, nobody could be told from somebody else. */
  #trust(key: string): void {
    if (this.#pool === undefined) {
      if (this.#isOver) return;
      this.#pool = this.#openPool(key);
    } else this.#pool.trust(key);
    for (const front of this.#desks.keys()) void this.#introduce(front);
  }

  #openPool(key: string): WorkerPool {
    const { plan, blockedTimeoutMs, sessionsOfUsers, fork } = this.#options;
    const { stateDir, front, ...sizes } = plan;
    if (this.#pairs === undefined) throw new Error('there is no way to introduce anybody');
    return new WorkerPool({
      ...sizes,
      key,
      sessionsOfUsers,
      frontUid: front.uid,
      locker: this.#locker,
      pairs: this.#pairs,
      leavesBehind: (uid) => leavesBehind(stateDir, uid),
      start: () => new WorkerProcess(fork('worker'), { log: this.#log, blockedTimeoutMs }),
      log: this.#log,
    });
  }

  /** Makes the front and the process that checks passwords known to each other. Where that one is no more, the next does it. */
  async #introduce(front: Child): Promise<void> {
    try {
      const [ofAuth, ofFront] = (await this.#pairs?.make()) ?? [];
      if (ofAuth === undefined || ofFront === undefined) return;
      await this.#auth.give(ofAuth).catch((error: unknown) => {
        ofFront.destroy();
        throw error;
      });
      await front.give({ kind: 'logins' }, ofFront);
    } catch (error) {
      this.#log.debug('a front is not introduced yet', { front: front.pid, error });
      await delay(introduceAgainMs, undefined, { ref: false });
      if (this.#auth.isReady && this.#desks.has(front)) await this.#introduce(front);
    }
  }

  /** In this order: a dead process's lock keeps others out of a mailbox until that is whole again. */
  async #recoverAndClear(): Promise<void> {
    await this.#recover();
    if (!this.#isOver) this.#locker?.clear();
  }

  /** A user whose leftovers cannot be dealt with now keeps nobody else waiting. */
  async #recover(): Promise<void> {
    const { stateDir, minUid } = this.#options.plan;
    const odd: Parameters<typeof usersWithLeftovers>[2] = (folder, why) => {
      const fix =
        'error' in why
          ? 'see what lies there'
          : 'remove it, or give it to that uid; his next login will say the same';
      this.#log.error('a folder of state is not as its uid has to have it', { folder, ...why, fix });
    };
    const users = [...(await usersWithLeftovers(stateDir, minUid, odd))];
    if (users.length > 0)
      this.#log.info('dead processes have left something half done', { users: users.length });
    const next = async (): Promise<void> => {
      for (let user = users.pop(); user !== undefined && !this.#isOver; user = users.pop()) {
        const { uid } = user;
        await this.#pool?.recover(user).catch((error: unknown) => {
          this.#log.error('what a dead process left half done is left to the next login', { uid, error });
        });
      }
    };
    await Promise.all(Array.from({ length: recoveriesAtOnce }, next));
  }
}
