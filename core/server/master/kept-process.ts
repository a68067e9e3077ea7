import type { ChildProcess, Serializable } from 'node:child_process';
import type { Socket } from 'node:net';

import type { z } from 'zod';

import type { Logger } from '../../log/logger.ts';
import { guardHandles } from '../ipc/guard-handles.ts';
import { longestStartMs } from '../ipc/longest-start.ts';
import { closeHandle } from '../user/foreign-handle.ts';
import { StreamRecipient } from '../user/stream-recipient.ts';
import { BackOff } from './back-off.ts';
import { endBlocked } from './end-blocked.ts';
import { shownBy } from './shown-by.ts';
import { Silence } from './silence.ts';
import type { StartPatience } from './start-patience.ts';

/** What every such process says besides what it is there for. */
type Vital =
  | { readonly kind: 'ready' }
  /** A sign of life. */
  | { readonly kind: 'alive' }
  /** It cannot do what it was started for, and ends; `reason` is for the operator. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface KeptProcessOptions<Report extends Vital> {
  /** For the log and for errors: `the locker`. */
  readonly what: string;
  readonly fork: () => ChildProcess;
  readonly reports: z.ZodType<Report>;
  readonly blockedTimeoutMs: number;
  /** There is one that can be asked. */
  readonly ready: (report: Extract<Report, { kind: 'ready' }>) => void;
  readonly log: Logger;
}

interface Incarnation {
  readonly process: ChildProcess;
  readonly recipient: StreamRecipient;
  readonly startedAtMs: number;
  readonly silence: Silence;
  isReady: boolean;
  /** The reason that it gave for not going on. */
  failure: string | undefined;
}

/** Keeps one process running that the others need: starts another where it dies or blocks, until it is told to end. */
export class KeptProcess<Order extends Serializable & object, Report extends Vital> {
  /** Resolves when it was told to end and its process has. */
  readonly ended: Promise<void>;
  readonly #options: KeptProcessOptions<Report>;
  readonly #backOff = new BackOff();
  readonly #hasEnded: () => void;
  #current: Incarnation | undefined;
  #hasStarted = false;
  #restart: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(options: KeptProcessOptions<Report>) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#hasEnded = resolve;
  }

  get pid(): number | undefined {
    return this.#current?.process.pid;
  }

  get isReady(): boolean {
    return this.#current?.isReady === true;
  }

  /** Resolves when it can be asked. Rejects with the reason where it cannot start; then there is none. */
  start(patience: StartPatience): Promise<void> {
    if (this.#isEnding) return Promise.reject(new Error(`${this.#options.what} was told to end before`));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#fork(resolve, (reason) => reject(new Error(reason)));
    return patience.with(promise, this);
  }

  /** Gives it a stream. Rejects where there is none, or it ends before it has that. */
  async give(order: Order, stream: Socket): Promise<void> {
    if (this.#current?.isReady === true) return this.#current.recipient.give(order, stream);
    stream.destroy();
    throw new Error(`${this.#options.what} is not there`);
  }

  send(order: Order): void {
    // One that has just died hears nothing, and another is on its way.
    if (this.#current?.process.connected === true) this.#current.process.send(order, () => {});
  }

  /** Ends it by this order; it is not replaced. */
  stop(order: Order): void {
    this.#isEnding = true;
    clearTimeout(this.#restart);
    if (this.#current === undefined) return this.#hasEnded();
    this.send(order);
  }

  kill(): void {
    this.#current?.process.kill('SIGKILL');
  }

  #fork(ready: () => void, over: (reason: string) => void): void {
    const { what, fork, log } = this.#options;
    const child = fork();
    const current: Incarnation = {
      process: child,
      recipient: new StreamRecipient(child),
      startedAtMs: performance.now(),
      silence: new Silence(longestStartMs, () => {
        log.error(`${what} blocks, so it is ended`, { child: child.pid, shown: shownBy(child.pid) });
        endBlocked(child);
      }),
      isReady: false,
      failure: undefined,
    };
    this.#current = current;
    guardHandles(child, () => this.#endForNonsense(current));
    child.on('message', (message, handle) => {
      closeHandle(handle);
      this.#hear(current, message, ready);
    });
    child.once('exit', (exitCode, signal) => {
      // What it had to say for itself stands in the log, by its pid.
      const how = `${what} (${child.pid}) did not start: ${signal ?? `exit code ${exitCode}`}`;
      over(current.failure ?? how);
      this.#bury(current, { exitCode, signal });
    });
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      over(error.message);
      this.#bury(current, { error });
    });
  }

  #hear(current: Incarnation, message: unknown, ready: () => void): void {
    const { reports, blockedTimeoutMs } = this.#options;
    const { success, data } = reports.safeParse(message);
    if (!success) return this.#endForNonsense(current);
    if (data.kind === 'failed') current.failure = data.reason;
    if (data.kind === 'alive') current.silence.broken(blockedTimeoutMs);
    if (!isReadiness(data)) return;
    current.isReady = true;
    this.#hasStarted = true;
    this.#options.ready(data);
    ready();
  }

  #endForNonsense({ process: child }: Incarnation): void {
    const { what, log } = this.#options;
    log.error(`${what} talks nonsense, so it is ended`, { child: child.pid });
    child.kill('SIGKILL');
  }

  #bury(dead: Incarnation, how: Readonly<Record<string, unknown>>): void {
    const { what, log } = this.#options;
    dead.silence.close();
    this.#current = undefined;
    if (this.#isEnding) return this.#hasEnded();
    // Whoever has started the first one is told why it does not start.
    if (!this.#hasStarted) return;
    const waitMs = this.#backOff.afterLifeOf(performance.now() - dead.startedAtMs);
    const why = dead.failure === undefined ? {} : { reason: dead.failure };
    log.error(`${what} died, and another is started`, { child: dead.process.pid, ...how, ...why, waitMs });
    this.#restart = setTimeout(() => this.#fork(noOp, noOp), waitMs);
  }
}

const isReadiness = <Report extends Vital>(report: Report): report is Extract<Report, { kind: 'ready' }> =>
  report.kind === 'ready';

const noOp = (): void => {};
