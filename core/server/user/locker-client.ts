import type { Socket } from 'node:net';

import type { SpoolLock, SpoolLockAttempt, SpoolLocker } from '../../plugin/spool-locks.ts';
import { Failure } from '../../protocol/failure.ts';
import { encodeFrame, readFrames } from './frames.ts';
import { type LockAnswer, lockAnswerSchema, type LockRequest } from './locker-messages.ts';

/** A lock that a locker has made for this process. */
interface Held {
  readonly kind: string;
  readonly path: string;
}

type Asked = (answer: LockAnswer | undefined) => void;

/**
 * The locker, as a worker asks it. Lockers die: while there is none, locks are busy, and what was locked stays so on the disk;
 * the next one is told of it before anything else.
 */
export class LockerClient implements SpoolLocker {
  readonly #held = new Map<number, Held>();
  readonly #asked = new Map<number, Asked>();
  #locker: Socket | undefined;
  #requests = 0;

  /** From here on the locker at the other end is asked. */
  meet(stream: Socket): void {
    this.#leave(this.#locker);
    this.#locker = stream.on('error', () => {});
    for (const [request, { kind, path }] of this.#held) this.#send({ ask: 'resume', request, kind, path });
    this.#send({ ask: 'begin' });
    void this.#listen(stream);
  }

  /** Throws what the system said to the locker, and a Failure (SYS/PERM) where it refuses. */
  async tryLock(kind: string, path: string): Promise<SpoolLockAttempt> {
    const lock = this.#newRequest();
    const said = saidBy(await this.#ask({ ask: 'try', request: lock, kind, path }), path);
    if (said === 'busy' || said === 'forbidden' || said === 'missing') return said;
    // Nobody is there, and nobody knows for how long.
    if (said !== 'held') return 'busy';
    this.#held.set(lock, { kind, path });
    return this.#lockOf(lock, path);
  }

  #lockOf(lock: number, path: string): SpoolLock {
    return {
      refresh: async () => {
        const request = this.#newRequest();
        const said = saidBy(await this.#ask({ ask: 'refresh', request, lock }), path);
        if (said === undefined) throw new Error(`${path}: ${away}`);
      },
      release: async () => {
        // The next locker is not to keep it for us.
        this.#held.delete(lock);
        const request = this.#newRequest();
        const said = saidBy(await this.#ask({ ask: 'release', request, lock }), path);
        if (said === undefined) throw new Error(`${path}: ${away}`);
        return said === 'taken' ? 'taken' : 'released';
      },
    };
  }

  #newRequest(): number {
    this.#requests += 1;
    return this.#requests;
  }

  /** undefined where there is no locker, or it goes before it has answered. */
  async #ask(question: Exclude<LockRequest, { ask: 'resume' | 'begin' }>): Promise<LockAnswer | undefined> {
    if (this.#locker?.writable !== true) return undefined;
    const { promise, resolve } = Promise.withResolvers<LockAnswer | undefined>();
    this.#asked.set(question.request, resolve);
    this.#send(question);
    return promise;
  }

  #send(question: LockRequest): void {
    this.#locker?.write(encodeFrame(question));
  }

  async #listen(stream: Socket): Promise<void> {
    try {
      for await (const { message } of readFrames(stream)) this.#hear(lockAnswerSchema.parse(message));
    } catch {
      // It has died, or talks nonsense: either way it is of no more use, and its master sees to another.
    } finally {
      this.#leave(stream);
    }
  }

  #hear(answer: LockAnswer): void {
    this.#asked.get(answer.request)?.(answer);
    this.#asked.delete(answer.request);
  }

  #leave(stream: Socket | undefined): void {
    if (stream === undefined || stream !== this.#locker) return;
    stream.destroy();
    this.#locker = undefined;
    for (const asked of this.#asked.values()) asked(undefined);
    this.#asked.clear();
  }
}

const away = 'the locker has just died; the next one takes away what nobody needs any more';

type Said = Extract<LockAnswer, { kind: 'said' }>['said'];

function saidBy(answer: LockAnswer | undefined, path: string): Said | undefined {
  if (answer === undefined) return undefined;
  if (answer.kind === 'said') return answer.said;
  const { kind, reason } = answer;
  if (kind === 'failed')
    throw Object.assign(new Error(reason), answer.code === undefined ? {} : { code: answer.code });
  const cause = new Error(`${path}: the locker refuses to lock it: ${reason}`);
  throw new Failure('the maildrop cannot be locked', { code: 'SYS/PERM', cause });
}
