/** More work is waiting than will ever be done in time. */
export class Busy extends Error {
  constructor(waiting: number) {
    super(`${waiting} password checks are waiting already`);
    this.name = 'Busy';
  }
}

interface Waiting {
  readonly enter: () => void;
}

/** Lets a few run at a time and a few more wait, in the order they came. */
export class Gate {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Waiting>();
  #running = 0;

  constructor(limits: { readonly running: number; readonly waiting: number }) {
    this.#maxRunning = limits.running;
    this.#maxWaiting = limits.waiting;
  }

  /** Runs the work when its turn comes. Throws Busy at once where too many wait, and the signal's reason when it fires. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#maxRunning) {
      this.#running++;
      return;
    }
    if (this.#waiting.size >= this.#maxWaiting) throw new Busy(this.#waiting.size);
    await this.#wait(signal);
  }

  // A client that left gives up its place: otherwise connecting and leaving would fill the queue.
  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        this.#waiting.delete(waiting);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(waiting);
    });
  }

  // The place goes straight to the next in the queue, so that nobody who comes just now can take it.
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next.enter();
  }
}
