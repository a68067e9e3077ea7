import { shownBy } from './shown-by.ts';

/** A process that has been begun. */
interface Starting {
  readonly pid: number | undefined;
  /** Ends it at once. */
  kill(): void;
}

/** How long processes may take to start, all of them together. */
export class StartPatience {
  readonly #ms: number;
  readonly #isOver = Promise.withResolvers<void>();

  /** From now on. `ms`: milliseconds; Infinity for as long as they like. */
  constructor(ms: number) {
    this.#ms = ms;
    if (ms !== Infinity) setTimeout(this.#isOver.resolve, ms).unref();
  }

  get isEndless(): boolean {
    return this.#ms === Infinity;
  }

  /** As `started`. Where that takes too long the process is ended, and this rejects with what it was at. */
  async with(started: Promise<void>, process: Starting): Promise<void> {
    const late = this.#isOver.promise.then(() => 'late' as const);
    if ((await Promise.race([started, late])) !== 'late') return;
    // Whatever it comes to now, it is over.
    started.catch(() => {});
    const at = shownBy(process.pid);
    process.kill();
    throw new Error(`a process took more than ${this.#ms} ms to start, and was ended at: ${at}`);
  }
}
