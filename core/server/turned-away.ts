import type { Logger } from '../log/logger.ts';

/** Clients who are turned away are written down no more often than this, in milliseconds. */
const silenceMs = 60_000;

/**
 * Tells the log of clients for whom there is no room: at once of the first, and of those that follow once a minute, by
 * their number. It keeps no timer. Whoever comes or leaves when the minute is over makes it speak, and `end` does.
 */
export class TurnedAway {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  #spokeAtMs = -Infinity;
  #untold = 0;
  #lastAddress = '';

  /** `nowMs` is a clock that never goes back. */
  constructor(log: Logger, nowMs: () => number = () => performance.now()) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  add(address: string): void {
    this.#untold += 1;
    this.#lastAddress = address;
    this.speakIfDue();
  }

  /** To be called when a client leaves, too: maybe nobody is turned away any more. */
  speakIfDue(): void {
    if (this.#untold > 0 && this.#nowMs() - this.#spokeAtMs >= silenceMs) this.end();
  }

  /** Tells what has not been told. */
  end(): void {
    if (this.#untold === 0) return;
    this.#log.warn('too many connections', { turnedAway: this.#untold, address: this.#lastAddress });
    this.#untold = 0;
    this.#spokeAtMs = this.#nowMs();
  }
}
