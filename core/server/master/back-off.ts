const firstMs = 100;
const longestMs = 30_000;
const healthyMs = 60_000;

/** How long to wait before a process that died is started again: twice as long each time, until one has been healthy. */
export class BackOff {
  #nextMs = firstMs;

  /** Milliseconds to wait after the death of one that lived so long. */
  afterLifeOf(livedMs: number): number {
    const waitMs = livedMs >= healthyMs ? firstMs : this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, longestMs);
    return waitMs;
  }
}
