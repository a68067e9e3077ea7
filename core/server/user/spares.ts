import type { Logger } from '../../log/logger.ts';
import type { Ending } from '../master/ending.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface SparesOptions {
  /** Starts a process that will be a worker. */
  readonly start: () => WorkerProcess;
  /** Processes that have loaded everything and wait for a user. */
  readonly spares: number;
  readonly log: Logger;
}

/** Processes that wait to become users, and all that have become one and run on. */
export class Spares {
  readonly #options: SparesOptions;
  readonly #waiting: WorkerProcess[] = [];
  readonly #running = new Set<WorkerProcess>();
  #areKept = true;

  constructor(options: SparesOptions) {
    this.#options = options;
    this.fill();
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** Of those that wait, those that are users, and those that end by and by. */
  get running(): readonly WorkerProcess[] {
    return [...this.#running];
  }

  /** One of those that wait; where none does, one that still has to load everything. */
  take(): WorkerProcess {
    return this.#waiting.shift() ?? this.#start();
  }

  /** Sees to it that as many wait as are to. */
  fill(): void {
    while (this.#areKept && this.#waiting.length < this.#options.spares) {
      const spare = this.#start();
      this.#waiting.push(spare);
      void spare.ended.then((ending) => this.#lose(spare, ending));
    }
  }

  /** Ends those that wait, and keeps none from here on. */
  rest(): void {
    this.#areKept = false;
    for (const spare of this.#waiting.splice(0)) spare.retire();
  }

  /** Resolves when no process is left, whatever it was. */
  async allEnded(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.running.map(({ ended }) => ended));
  }

  /** Ends all processes at once. */
  kill(): void {
    for (const worker of this.#running) worker.kill();
  }

  #start(): WorkerProcess {
    const worker = this.#options.start();
    this.#running.add(worker);
    void worker.ended.then(() => this.#running.delete(worker));
    return worker;
  }

  /** Not replaced at once: what has ended one that did nothing would end the next. The next user starts another. */
  #lose(spare: WorkerProcess, ending: Ending): void {
    const index = this.#waiting.indexOf(spare);
    if (index === -1) return;
    this.#waiting.splice(index, 1);
    this.#options.log.error('a process that waited for a user has died', {
      child: spare.pid,
      ...ending,
    });
  }
}
