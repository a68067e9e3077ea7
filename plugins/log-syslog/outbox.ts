import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';

import { Queue } from './queue.ts';
import type { Wire } from './wire.ts';

export interface OutboxOptions {
  /** Lines that wait at one time; those that come when there are so many are dropped, and counted. */
  readonly capacity: number;
  /** What is sent when it goes on again after so many were dropped. */
  readonly noteOn: (dropped: number) => Buffer;
  /** Called at the first failure of a row, and when the row is over. */
  readonly unreachable: (error: unknown) => void;
  readonly reachedAgain: () => void;
}

/** A receiver that is busy is asked again soon, one that is not there less and less often. */
const busyMs = 20;
const firstRetryMs = 100;
const longestRetryMs = 5000;
/** Lines that are sent before the clients have their turn. */
const mostInARow = 64;

/** Lines on their way to a syslog that may be slow or away: nobody waits for it, and nothing is lost without being counted. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lines = new Queue<Buffer>();
  readonly #ending = new AbortController();
  #dropped = 0;
  #retryMs = firstRetryMs;
  #isAway = false;
  #wire: Wire | undefined;
  #sending: Promise<void> | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  push(line: Buffer): void {
    if (this.#ending.signal.aborted) return;
    if (this.#lines.length >= this.#options.capacity) this.#dropped += 1;
    else this.#lines.push(line);
    this.#send();
  }

  /** Until then lines wait. */
  start(wire: Wire): void {
    this.#wire = wire;
    this.#send();
  }

  /** Sends what waits, for so long at most. Gives the number of lines that were not sent, and not told of. */
  async close(withinMs: number): Promise<number> {
    const late = new AbortController();
    await Promise.race([
      this.#allSent(),
      delay(withinMs, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
    this.#ending.abort();
    await this.#wire?.close();
    return this.#lines.length + this.#dropped;
  }

  #send(): void {
    if (this.#wire === undefined || this.#sending !== undefined) return;
    this.#sending = this.#sendAll(this.#wire).finally(() => {
      this.#sending = undefined;
      // What came after the last look and before this.
      if (this.#lines.length > 0 && !this.#ending.signal.aborted) this.#send();
    });
  }

  /** One row of sending can follow another. */
  async #allSent(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  async #sendAll(wire: Wire): Promise<void> {
    const { signal } = this.#ending;
    let sentInARow = 0;
    for (let line = this.#lines.first; line !== undefined && !signal.aborted; line = this.#lines.first) {
      const waitMs = await this.#sendOne(line, wire);
      sentInARow = waitMs > 0 ? 0 : sentInARow + 1;
      if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => {});
      // A wire may answer at once each time, and nobody would be served until all are sent.
      else if (sentInARow % mostInARow === 0) await turn();
    }
  }

  /** Milliseconds to wait before the next attempt. */
  async #sendOne(line: Buffer, wire: Wire): Promise<number> {
    try {
      const answer = await wire.send(line);
      this.#reached();
      if (answer === 'busy') return busyMs;
      this.#lines.shift();
      if (answer === 'refused') this.#dropped += 1;
      this.#noteDropped();
      return answer === 'refused' ? busyMs : 0;
    } catch (error) {
      return this.#missed(error);
    }
  }

  /** Behind all that was kept, which is where they are missing; and when there is room again, for there may be more. */
  #noteDropped(): void {
    if (this.#dropped === 0 || this.#lines.length > this.#options.capacity / 2) return;
    this.#lines.push(this.#options.noteOn(this.#dropped));
    this.#dropped = 0;
  }

  #reached(): void {
    this.#retryMs = firstRetryMs;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.reachedAgain();
  }

  #missed(error: unknown): number {
    const waitMs = this.#retryMs;
    this.#retryMs = Math.min(2 * waitMs, longestRetryMs);
    if (!this.#isAway && !this.#ending.signal.aborted) {
      this.#isAway = true;
      this.#options.unreachable(error);
    }
    return waitMs;
  }
}
