/**
 * Knows when the wall clock was set, or stood still with a machine asleep: locks from before that look old although
 * their holders have had no time.
 */
export class WallClock {
  #offsetMs = Date.now() - performance.now();
  #changedAtMs = Number.NEGATIVE_INFINITY;

  /** Whether it has run as it should for so many milliseconds, as far as this process has seen. */
  isSteadyFor(ms: number): boolean {
    const nowMs = performance.now();
    const offsetMs = Date.now() - nowMs;
    if (Math.abs(offsetMs - this.#offsetMs) > 10_000) this.#changedAtMs = nowMs;
    this.#offsetMs = offsetMs;
    return nowMs - this.#changedAtMs >= ms;
  }
}
