import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between two looks. Each wakes the process, which has little else to do while its clients are idle. */
const resolutionMs = 50;
/** So long a delay counts at least, in milliseconds. */
const windowMs = 60_000;

/** How late timers fire: what sessions wait for one another. */
export class EventLoopDelay {
  readonly #turn: NodeJS.Timeout;
  #current = started();
  #previous: Monitor | undefined;

  constructor() {
    this.#turn = setInterval(() => this.#next(), windowMs).unref();
  }

  /** Of the last minute or two: 99 of 100 timers were no later than this. */
  get p99Ms(): number {
    const ns = Math.max(this.#current.percentile(99), this.#previous?.percentile(99) ?? 0);
    return Math.max(0, Math.round(ns / 1e5 - resolutionMs * 10) / 10);
  }

  stop(): void {
    clearInterval(this.#turn);
    this.#current.disable();
  }

  #next(): void {
    this.#current.disable();
    this.#previous = this.#current;
    this.#current = started();
  }
}

type Monitor = ReturnType<typeof monitorEventLoopDelay>;

function started(): Monitor {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return histogram;
}
