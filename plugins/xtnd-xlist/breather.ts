import { setImmediate as turn } from 'node:timers/promises';

/** So long one session works before the others have their turn. */
const stretchMs = 10;

/** For work that may never have to wait: mail in memory is read without a pause, and meanwhile nobody else is served. */
export class Breather {
  #sinceMs = performance.now();

  /** A promise only where it is time to let the others go on. */
  pause(): Promise<void> | undefined {
    return performance.now() - this.#sinceMs < stretchMs ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await turn();
    this.#sinceMs = performance.now();
  }
}
