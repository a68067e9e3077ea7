/** So long a client may leave what it was sent unread while others find no place, in milliseconds. */
const patienceMs = 60_000;
/** Looking at all sessions takes time, and those who ask may be many: it is done no more often than this. */
const lookEveryMs = 1000;

/** Finds the session whose client has read nothing for the longest, so that it does not keep others out for good. */
export class StalledReaders<T extends { readonly stalledSinceMs: number | undefined }> {
  readonly #all: () => Iterable<T>;
  readonly #nowMs: () => number;
  #lookedAtMs = -Infinity;

  /** `nowMs` is the clock of `stalledSinceMs`. */
  constructor(all: () => Iterable<T>, nowMs: () => number = () => performance.now()) {
    this.#all = all;
    this.#nowMs = nowMs;
  }

  /** Undefined where none has stalled for a minute, or where the last look was just now. */
  worst(): T | undefined {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lookedAtMs < lookEveryMs) return undefined;
    this.#lookedAtMs = nowMs;
    let worst: T | undefined;
    let worstSinceMs = nowMs - patienceMs;
    for (const one of this.#all()) {
      if (one.stalledSinceMs === undefined || one.stalledSinceMs > worstSinceMs) continue;
      worst = one;
      worstSinceMs = one.stalledSinceMs;
    }
    return worst;
  }
}
