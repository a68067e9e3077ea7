import type { Socket } from 'node:net';

import type { Logger } from '../../log/logger.ts';
import { printable } from '../../log/sanitise.ts';
import type { SpoolLock, SpoolLockKind } from '../../plugin/spool-locks.ts';
import { encodeFrame, readFrames } from './frames.ts';
import { type LockAnswer, type LockRequest, lockRequestSchema } from './locker-messages.ts';
import type { OrphanedLocks } from './locker-orphans.ts';
import { LockRefused, mayLock } from './locker-rule.ts';

export interface LendingOptions {
  readonly kindOf: (name: string) => SpoolLockKind | undefined;
  readonly orphans: OrphanedLocks;
  readonly log: Logger;
}

type RequestOf<Ask extends LockRequest['ask']> = Extract<LockRequest, { ask: Ask }>;
/** What gets an answer. */
type Question = Exclude<LockRequest, { ask: 'resume' | 'begin' }>;
/** What an answer says besides its request. */
type Answer = LockAnswer extends infer Each
  ? Each extends LockAnswer
    ? Omit<Each, 'request'>
    : never
  : never;
type Said = Extract<LockAnswer, { kind: 'said' }>['said'];

/** Questions of one worker that are looked at at one time; the others wait in its stream. */
const maxAtWork = 64;
/** Of a path that it had no right to name. */
const maxToldOctets = 256;

/** What one worker has from the locker. Its uid is the master's word; all else is what the worker says. */
export class WorkersLocks {
  /** Resolves when it has said which locks of a former locker it still needs, or has gone. */
  readonly begun: Promise<void>;
  readonly #uid: number;
  readonly #stream: Socket;
  readonly #options: LendingOptions;
  readonly #locks = new Map<number, { readonly path: string; readonly lock: SpoolLock }>();
  readonly #atWork = new Set<Promise<void>>();
  readonly #begin: () => void;
  #hasBegun = false;
  #lastRequest = -1;
  #hasTold = false;

  constructor(uid: number, stream: Socket, options: LendingOptions) {
    this.#uid = uid;
    this.#stream = stream;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
  }

  /** Answers the worker for as long as it is there. Never throws. */
  async serve(): Promise<void> {
    // 'close' follows.
    this.#stream.on('error', () => {});
    try {
      for await (const { message } of readFrames(this.#stream))
        await this.#take(lockRequestSchema.parse(message));
    } catch (error) {
      if (this.#stream.errored === null) {
        const { log } = this.#options;
        log.error('a worker talks nonsense, so it gets no more locks', { uid: this.#uid, error });
      }
    } finally {
      this.#stream.destroy();
      await Promise.all(this.#atWork);
      for (const { path, lock } of this.#locks.values()) this.#options.orphans.add(this.#uid, path, lock);
      this.#begin();
    }
  }

  async #take(request: LockRequest): Promise<void> {
    if (request.ask === 'begin') {
      this.#hasBegun = true;
      return this.#begin();
    }
    const isInOrder = (request.ask === 'resume') !== this.#hasBegun && request.request > this.#lastRequest;
    if (!isInOrder) throw new Error(`it asks to ${request.ask} at the wrong time`);
    this.#lastRequest = request.request;
    // Before anything else of this worker, whose lock it is.
    if (request.ask === 'resume') return this.#resume(request);
    const answered = this.#answer(request).finally(() => this.#atWork.delete(answered));
    this.#atWork.add(answered);
    if (this.#atWork.size >= maxAtWork) await Promise.race(this.#atWork);
  }

  /** What cannot be had any more is missed when it is let go. */
  async #resume({ request, path, kind }: RequestOf<'resume'>): Promise<void> {
    try {
      const may = await this.#mayLock(kind, path);
      const lock = may === 'yes' ? await this.#options.kindOf(kind)?.resume(path) : undefined;
      if (lock !== undefined) this.#locks.set(request, { path, lock });
    } catch (error) {
      this.#options.log.warn('a lock of before could not be resumed', { uid: this.#uid, error });
    }
  }

  async #answer(request: Question): Promise<void> {
    let answer: Answer;
    try {
      answer = { kind: 'said', said: await this.#do(request) };
    } catch (error) {
      answer = this.#failure(request, error);
    }
    if (this.#stream.writable) this.#stream.write(encodeFrame({ ...answer, request: request.request }));
  }

  async #do(request: Question): Promise<Said> {
    if (request.ask === 'try') return this.#try(request);
    if (request.ask === 'release') return this.#release(request.lock);
    const held = this.#locks.get(request.lock);
    await held?.lock.refresh();
    return held === undefined ? 'taken' : 'refreshed';
  }

  async #try({ request, path, kind }: RequestOf<'try'>): Promise<Said> {
    const may = await this.#mayLock(kind, path);
    if (may !== 'yes') return may;
    const { orphans, kindOf } = this.#options;
    const lock = orphans.take(this.#uid, path) ?? (await kindOf(kind)?.tryLock(path)) ?? 'forbidden';
    if (typeof lock === 'string') return lock;
    this.#locks.set(request, { path, lock });
    return 'held';
  }

  async #mayLock(kind: string, path: string): ReturnType<typeof mayLock> {
    const root = this.#options.kindOf(kind)?.rootOf(path);
    return mayLock(this.#uid, path, root);
  }

  async #release(request: number): Promise<Said> {
    const held = this.#locks.get(request);
    // What is not there could not be resumed.
    if (held === undefined) return 'taken';
    this.#locks.delete(request);
    return held.lock.release();
  }

  #failure(request: Question, error: unknown): Answer {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof LockRefused) {
      this.#tell(request, reason);
      return { kind: 'refused', reason };
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    return { kind: 'failed', reason, ...(code !== undefined && { code }) };
  }

  /** Once: whoever asks for what he may not have may ask a million times. */
  #tell(request: Question, reason: string): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    const path = 'path' in request ? printable(request.path, maxToldOctets) : undefined;
    this.#options.log.error('a worker asked for a lock that its user may not have', {
      uid: this.#uid,
      path,
      reason,
    });
  }
}
