import { errorCode } from './files.ts';

/**
 * The number of an open file. As soon as it is closed the number may be another file's, so it is closed once, and only
 * when no call is under way.
 */
export class Descriptor {
  readonly #number: number;
  #callCount = 0;
  #closed: Promise<void> | undefined;
  #whenUnused: (() => void) | undefined;

  constructor(number: number) {
    this.#number = number;
  }

  /** Throws EBADF once it is closed, or about to be. */
  get number(): number {
    if (this.#closed !== undefined) throw Object.assign(new Error('the file is closed'), { code: 'EBADF' });
    return this.#number;
  }

  /** Makes a call in the thread pool, again after EINTR. */
  async use<T>(call: (number: number) => Promise<T>): Promise<T> {
    const { number } = this;
    this.#callCount += 1;
    try {
      return await again(() => call(number));
    } finally {
      this.#callCount -= 1;
      if (this.#callCount === 0) this.#whenUnused?.();
    }
  }

  /** The second time, too, it answers when the file is closed. */
  close(call: (number: number) => Promise<void> | void): Promise<void> {
    this.#closed ??= this.#close(call);
    return this.#closed;
  }

  async #close(call: (number: number) => Promise<void> | void): Promise<void> {
    if (this.#callCount > 0) {
      await new Promise<void>((resolve) => {
        this.#whenUnused = resolve;
      });
    }
    await call(this.#number);
  }
}

async function again<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (errorCode(error) !== 'EINTR') throw error;
    }
  }
}
