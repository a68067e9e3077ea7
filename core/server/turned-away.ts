import type { LogFields, Logger } from '../log/logger.ts';

/** Connections that are turned away are written down no more often than this, in milliseconds. */
const silenceMs = 60_000;

/**
 * Tells the log of connections that are turned away for one reason: at once of the first, and of those that follow once a
 * minute, by their number. It keeps no timer. Whoever comes or leaves when the minute is over makes it speak, and `end` does.
 */
export class TurnedAway {
  readonly #log: Logger;
  readonly #reason: string;
  readonly #nowMs: () => number;
  #spokeAtMs = -Infinity;
  #untold = 0;
  #last: LogFields = {};

  /** `nowMs` is a clock that never goes back. */
  constructor(log: Logger, reason: string, nowMs: () => number = () => performance.now()) {
    this.#log = log;
    this.#reason = reason;
    this.#nowMs = nowMs;
  }

  /** `last` is what is known of this one, and told where it is the last of a minute. */
  add(last: LogFields): void {
    this.#untold += 1;
    this.#last = last;
    this.speakIfDue();
  }

  /** To be called when a client leaves, too: maybe nobody is turned away any more. */
  speakIfDue(): void {
    if (this.#untold > 0 && this.#nowMs() - this.#spokeAtMs >= silenceMs) this.end();
  }

  /** Tells what has not been told. */
  end(): void {
    if (this.#untold === 0) return;
    this.#log.warn(this.#reason, { turnedAway: this.#untold, ...this.#last });
    this.#untold = 0;
    this.#spokeAtMs = this.#nowMs();
  }
}
