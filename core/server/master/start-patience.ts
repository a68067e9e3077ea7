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
  readonly #task: string;
  readonly #isOver = Promise.withResolvers<void>();

  /** From now on. `ms`: milliseconds; Infinity for as long as they like. `task`: what they are to do. */
  constructor(ms: number, task = 'start') {
    this.#ms = ms;
    this.#task = task;
    if (ms !== Infinity) setTimeout(this.#isOver.resolve, ms).unref();
  }

  get isEndless(): boolean {
    return this.#ms === Infinity;
  }

  /** As `started`. Where that takes too long the process is ended, and this rejects with what it was at. */
  async with<Started>(started: Promise<Started>, process: Starting): Promise<Started> {
    const late = Symbol('late');
    const outcome = await Promise.race([started, this.#isOver.promise.then((): typeof late => late)]);
    if (outcome !== late) return outcome;
    // Whatever it comes to now, it is over.
    started.catch(() => {});
    const at = shownBy(process.pid);
    process.kill();
    throw new Error(`a process took more than ${this.#ms} ms to ${this.#task}, and was ended at: ${at}`);
  }
}
