import type { Logger } from '../../log/logger.ts';
import type { Status } from '../control/messages.ts';
import { longestStartMs } from '../ipc/longest-start.ts';
import type { Order, Report } from '../ipc/messages.ts';
import { BackOff } from './back-off.ts';
import type { Child } from './child.ts';
import type { Connections } from './connections.ts';
import { type Ending, told } from './ending.ts';
import { shownBy } from './shown-by.ts';
import { Silence } from './silence.ts';
import type { StartPatience } from './start-patience.ts';
import { sessionsIn } from './sum-of-statuses.ts';
import type { Users } from './users.ts';

export interface FrontKeeperOptions {
  /** The place of its front in the generation, from 1. */
  readonly number: number;
  readonly addresses: readonly string[];
  readonly blockedTimeoutMs: number;
  readonly fork: () => Child;
  /** What stands behind fronts that may not do everything themselves. */
  readonly users?: Users | undefined;
  /** Those of all fronts. */
  readonly connections: Connections;
  /** Told what a front had come to when it ended. */
  readonly buried: (status: Status) => void;
  readonly log: Logger;
}

/** What the first front of a generation has to do besides. */
export type Duties = Pick<Extract<Order, { kind: 'start' }>, 'recovers' | 'announces'>;

interface Front {
  readonly child: Child;
  readonly startedAtMs: number;
  readonly silence: Silence;
  /** As it was last told; undefined while it starts. */
  status: Status | undefined;
  /** The reason that it gave for not starting. */
  failure: string | undefined;
}

/** Keeps one front running: starts another where it dies, blocks or leaves, until it is told to end. */
export class FrontKeeper {
  /** Resolves when it was told to end and its last process has. */
  readonly ended: Promise<void>;
  readonly #options: FrontKeeperOptions;
  readonly #log: Logger;
  readonly #backOff = new BackOff();
  /** The one that serves, and those that leave. */
  readonly #fronts = new Set<Front>();
  readonly #hasEnded: () => void;
  /** Undefined until one listens, and between two. */
  #serving: Front | undefined;
  #hasStarted = false;
  #restart: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(options: FrontKeeperOptions) {
    this.#options = options;
    this.#log = options.log;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#hasEnded = resolve;
  }

  get children(): readonly Child[] {
    return [...this.#fronts].map(({ child }) => child);
  }

  /** Of its processes, as they were within the last second or so. */
  get statuses(): readonly Status[] {
    return [...this.#fronts].flatMap(({ status }) => (status === undefined ? [] : [status]));
  }

  /** Whether its front was well when it was last heard of; between two it has none. */
  get isServing(): boolean {
    return this.#serving?.status !== undefined;
  }

  /** Resolves when its front listens. Rejects with the reason where it cannot; then there is none. */
  start(duties: Duties, patience: StartPatience): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isLeaving = false;
    // It would end as soon as it is there, and so would each that took its place.
    const leaves = (): void => {
      isLeaving = true;
      reject(new Error('a front met an error as it started, which the log has'));
    };
    const front = this.#fork(duties, (report) => {
      if (report.kind === 'leaving') leaves();
      if (report.kind !== 'listening' || isLeaving) return;
      this.#serving = front;
      this.#hasStarted = true;
      resolve();
    });
    void front.child.ended.then((ending) =>
      reject(new Error(front.failure ?? `a front (${front.child.pid}) ended: ${told(ending)}`)),
    );
    return patience.with(promise, front.child);
  }

  /** Lets nobody in any more, and ends with the last session. */
  retire(): void {
    this.#end('retire');
  }

  /** Ends its sessions as a stop does; called again, at once. */
  stop(): void {
    this.#end('stop');
  }

  #end(kind: 'retire' | 'stop'): void {
    this.#isEnding = true;
    clearTimeout(this.#restart);
    for (const { child } of this.#fronts) child.send({ kind });
    if (this.#fronts.size === 0) this.#hasEnded();
  }

  #fork(duties: Duties, heard: (report: Report) => void): Front {
    const { fork, number, addresses, blockedTimeoutMs, users, connections } = this.#options;
    const child = fork();
    const silence = new Silence(longestStartMs, () => this.#blocks(front));
    const front: Front = {
      child,
      startedAtMs: performance.now(),
      silence,
      status: undefined,
      failure: undefined,
    };
    this.#fronts.add(front);
    users?.attend(child);
    connections.attend(child);
    child.heard = (report, lent) => {
      if (users === undefined) lent?.destroy();
      else users.hear(child, report, lent);
      if (report.kind === 'alive') silence.broken(blockedTimeoutMs);
      connections.hear(child, report);
      this.#hear(front, report);
      heard(report);
    };
    child.send({ kind: 'start', number, addresses: [...addresses], ...duties, ...users?.fronts });
    void child.ended.then((ending) => this.#bury(front, ending));
    return front;
  }

  #hear(front: Front, report: Report): void {
    if (report.kind === 'alive') front.status = report.status;
    if (report.kind === 'failed') front.failure = report.reason;
    if (report.kind === 'leaving') this.#replace(front);
  }

  #blocks(front: Front): void {
    const { child, status } = front;
    const { number, blockedTimeoutMs } = this.#options;
    const sessions = sessionsIn(status);
    this.#log.error('a front blocks, so it is ended', {
      front: number,
      child: child.pid,
      sessions,
      blockedTimeoutMs,
      shown: shownBy(child.pid),
    });
    child.kill();
  }

  #bury(front: Front, ending: Ending): void {
    front.silence.close();
    this.#fronts.delete(front);
    if (front.status) this.#options.buried(front.status);
    if (ending.exitCode !== 0 && this.#hasStarted) this.#tell(front, ending);
    this.#replace(front);
    if (this.#isEnding && this.#fronts.size === 0) this.#hasEnded();
  }

  #tell({ child, status, failure }: Front, ending: Ending): void {
    this.#log.error('a front died', {
      front: this.#options.number,
      child: child.pid,
      sessions: sessionsIn(status),
      ...ending,
      ...(failure !== undefined && { reason: failure }),
    });
  }

  /** The first one is not replaced before it listens: whoever starts it is told why it does not. */
  #replace(front: Front): void {
    if (this.#isEnding || this.#serving !== front) return;
    this.#serving = undefined;
    const waitMs = this.#backOff.afterLifeOf(performance.now() - front.startedAtMs);
    this.#log.warn('starting another front', { front: this.#options.number, waitMs });
    // It may have died in the middle of a deletion, unless it does none.
    const recovers = this.#options.users === undefined;
    const start = (): void => {
      this.#serving = this.#fork({ recovers, announces: false }, () => {});
    };
    this.#restart = setTimeout(start, waitMs);
  }
}
