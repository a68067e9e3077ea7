// Over 250 lines: what the master knows of a worker has one owner.
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

import { z } from 'zod';

import type { Logger } from '../../log/logger.ts';
import { guardHandles } from '../ipc/guard-handles.ts';
import { longestStartMs } from '../ipc/longest-start.ts';
import { endBlocked } from '../master/end-blocked.ts';
import { type Ending, endingOf, told } from '../master/ending.ts';
import { shownBy } from '../master/shown-by.ts';
import { Silence } from '../master/silence.ts';
import type { LockLook } from '../session-locks.ts';
import type { CarriedConnectionFacts } from './connection-facts.ts';
import { closeHandle } from './foreign-handle.ts';
import { StreamRecipient } from './stream-recipient.ts';
import type { Assigned } from './user-authority.ts';
import {
  type StalledSession,
  type WorkerOrder,
  type WorkerProgress,
  type WorkerReport,
  workerReportSchema,
} from './worker-messages.ts';

type Answer = Extract<WorkerReport, { readonly request: number }>;
type Outcome = Awaited<Assigned['outcome']>;

export interface WorkerProcessOptions {
  readonly log: Logger;
  /** Milliseconds without a sign of life after which a process that serves a user is ended. */
  readonly blockedTimeoutMs: number;
  readonly endingMs?: number;
  /** Milliseconds in which it has to have loaded everything. */
  readonly loadingMs?: number;
}

/** A session that is its own, or on its way to it. */
interface Session extends PromiseWithResolvers<Outcome> {
  tellStalled: (forMs: number) => void;
}

const reports = z.compile(workerReportSchema);

/** So long a question of an operator's waits for its answer, in milliseconds: a worker may be at work, or stopped. */
const patienceMs = 1000;
/** Without a session a process has little to do before it ends; one that takes longer, in milliseconds, is stuck, or will not. */
const defaultEndingMs = 60_000;

/** A worker, as the master that has started it sees it. */
export class WorkerProcess {
  /** Resolves when it has ended, in whatever way. */
  readonly ended: Promise<Ending>;
  /** Called when its last session is over. */
  free: () => void = () => {};
  /** Called when nobody has come for a while. */
  idle: () => void = () => {};
  readonly #process: ChildProcess;
  readonly #recipient: StreamRecipient;
  readonly #log: Logger;
  readonly #blockedTimeoutMs: number;
  readonly #endingMs: number;
  readonly #spare = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #questions = new Map<number, (answer: Answer | undefined) => void>();
  #asked = 0;
  #isReady = false;
  readonly #sessions = new Map<string, Session>();
  /** Those whose clients read nothing, as it was told last. */
  #stalled = new Set<string>();
  #uid: number | undefined;
  /** The reason that it gave for not going on. */
  #failure: string | undefined;
  /** While it loads, and from when it is told whom to become: one that waits for a user has nobody who could suffer from it. */
  readonly #silence: Silence;

  constructor(
    child: ChildProcess,
    { log, blockedTimeoutMs, endingMs = defaultEndingMs, loadingMs = longestStartMs }: WorkerProcessOptions,
  ) {
    this.#process = child;
    this.#blockedTimeoutMs = blockedTimeoutMs;
    this.#endingMs = endingMs;
    this.#silence = new Silence(loadingMs, () => this.#endForSilence());
    this.#recipient = new StreamRecipient(child);
    this.#log = log;
    this.ended = endingOf(child);
    guardHandles(child, () => this.#endForNonsense());
    child.on('message', (message, handle) => this.#hear(message, handle));
    void this.ended.then((ending) => this.#forget(ending));
    // Who waits for them is told; who does not has nothing to be told of.
    for (const { promise } of [this.#spare, this.#ready]) promise.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sessions that are its own, or on their way to it. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Resolves when it has loaded everything, and can become a user. Rejects where it ends instead. */
  get loaded(): Promise<void> {
    return this.#spare.promise;
  }

  /** Whether it serves a user. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when it serves this user, or has tried what it is to begin. Rejects where it ends instead. */
  begin(order: Extract<WorkerOrder, { kind: 'become' | 'rehearse' }>): Promise<void> {
    this.#uid = order.uid;
    this.#silence.broken(this.#longestSilenceMs);
    this.order(order);
    return this.#ready.promise;
  }

  /** Another auth process seals tickets from here on. One that is nobody yet learns its keys when it becomes somebody. */
  trust(keys: Extract<WorkerOrder, { kind: 'trust' }>['keys']): void {
    if (this.#uid !== undefined) this.order({ kind: 'trust', keys });
  }

  /** From here on the session counts as its own. */
  expect(session: string): void {
    this.#sessions.set(session, { ...Promise.withResolvers<Outcome>(), tellStalled: () => {} });
  }

  /** `tell` is called each time it says for how long the client of an expected session has read nothing; with 0 when it reads again. */
  whenStalled(session: string, tell: (forMs: number) => void): void {
    const expected = this.#sessions.get(session);
    if (expected !== undefined) expected.tellStalled = tell;
  }

  /** What an expected session comes to; undefined where the process dies before it can say. */
  async expected(session: string): Promise<Outcome> {
    return this.#sessions.get(session)?.promise;
  }

  /** Hands a session over that is expected, with a relay's stream. Rejects, and the session is over, where the process has ended. */
  serve(ticket: string, facts: CarriedConnectionFacts, stream: Socket): Promise<void> {
    return this.#recipient.give(orderToServe(ticket, facts, false), stream);
  }

  /** The same with the client's connection, of which this process keeps an end. */
  serveLent(ticket: string, facts: CarriedConnectionFacts, connection: Socket): Promise<void> {
    return this.#recipient.lend(orderToServe(ticket, facts, true), connection);
  }

  /** Gives it a stream to the locker. Rejects where the process has ended. */
  async meetLocker(stream: Socket): Promise<void> {
    await this.#recipient.give({ kind: 'locker' } satisfies WorkerOrder, stream);
  }

  /** An expected session does not come. */
  forget(session: string): void {
    this.#settle(session, undefined);
  }

  order(order: WorkerOrder): void {
    // One that has just died hears nothing, and its end is told by `ended`.
    if (this.#process.connected) this.#process.send(order, () => {});
  }

  /** Nobody comes any more: it ends by itself, or in the end by force. */
  retire(): void {
    this.order({ kind: 'retire' });
    const late = setTimeout(() => {
      this.#log.error('a worker does not end by itself, so it is ended', { worker: this.pid });
      this.kill();
    }, this.#endingMs).unref();
    void this.ended.then(() => clearTimeout(late));
  }

  /** What its sessions are at; none where it does not answer in time. */
  async progress(): Promise<readonly WorkerProgress[]> {
    const answer = await this.#ask((request) => ({ kind: 'ask', request }));
    return answer?.kind === 'sessions' ? answer.sessions : [];
  }

  /** The lock that the user's last session here asked for; undefined where there was none, or nobody answers in time. */
  async lockOf(user: string): Promise<LockLook | undefined> {
    const answer = await this.#ask((request) => ({ kind: 'ask', request, lockOf: user }));
    return answer?.kind === 'lock' ? answer.look : undefined;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #hear(message: unknown, handle: unknown): void {
    const report = reports.safeParse(message);
    if (report.success && handle === undefined) return this.#take(report.data);
    closeHandle(handle);
    this.#endForNonsense();
  }

  #endForNonsense(): void {
    this.#log.error('a worker talks nonsense, so it is ended', { worker: this.pid });
    this.kill();
  }

  #endForSilence(): void {
    const { pid: worker, sessions } = this;
    const at = { uid: this.#uid, sessions, shown: shownBy(worker) };
    this.#log.error('a worker blocks, so it is ended', { worker, ...at });
    endBlocked(this.#process);
  }

  #take(report: WorkerReport): void {
    if (report.kind === 'alive') this.#live(report.stalled);
    if (report.kind === 'spare') this.#beSpare();
    if (report.kind === 'ready') this.#begin();
    if (report.kind === 'idle') this.idle();
    if (report.kind === 'failed') {
      this.#failure = report.reason;
      this.#log.error('a worker cannot begin', { worker: this.pid, reason: report.reason });
    }
    if (report.kind === 'ended') this.#settle(report.session, report.outcome);
    if ('request' in report) this.#questions.get(report.request)?.(report);
  }

  #beSpare(): void {
    this.#silence.close();
    this.#spare.resolve();
  }

  #live(stalled: readonly StalledSession[]): void {
    this.#silence.broken(this.#longestSilenceMs);
    const reading = this.#stalled;
    this.#stalled = new Set(stalled.map(({ session }) => session));
    for (const { session, forMs } of stalled) this.#sessions.get(session)?.tellStalled(forMs);
    for (const session of reading.difference(this.#stalled)) this.#sessions.get(session)?.tellStalled(0);
  }

  /** Before it serves anybody it makes a folder and waits for the disk, and plugins load what they need: all without a turn of its event loop. */
  get #longestSilenceMs(): number {
    return this.#isReady ? this.#blockedTimeoutMs : Math.max(longestStartMs, this.#blockedTimeoutMs);
  }

  #begin(): void {
    this.#isReady = true;
    this.#silence.broken(this.#longestSilenceMs);
    this.#ready.resolve();
  }

  async #ask(question: (request: number) => WorkerOrder): Promise<Answer | undefined> {
    this.#asked += 1;
    const request = this.#asked;
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#questions.set(request, resolve);
    const tooLong = setTimeout(() => resolve(undefined), patienceMs);
    this.order(question(request));
    const answer = await promise;
    clearTimeout(tooLong);
    this.#questions.delete(request);
    return answer;
  }

  #settle(session: string, outcome: Outcome): void {
    this.#sessions.get(session)?.resolve(outcome);
    if (this.#sessions.delete(session) && this.#sessions.size === 0) this.free();
  }

  #forget(ending: Ending): void {
    this.#silence.close();
    const how = `worker ${this.pid ?? 'that never began'} has ended: ${told(ending)}`;
    const error = new Error(this.#failure ?? how);
    for (const { reject } of [this.#spare, this.#ready]) reject(error);
    for (const resolve of this.#questions.values()) resolve(undefined);
    for (const session of this.#sessions.keys()) this.#settle(session, undefined);
  }
}

const orderToServe = (ticket: string, facts: CarriedConnectionFacts, lent: boolean): WorkerOrder => ({
  kind: 'serve',
  ticket,
  facts,
  lent,
});
