/** A process that was stopped itself must read what has come meanwhile before it says that nothing came. */
const secondLookMs = 1000;

/** Waits for signs of life, and calls back once when there has been none for too long. */
export class Silence {
  readonly #tooLong: () => void;
  #timer: NodeJS.Timeout;

  /** `limitMs`: how long the first sign may take. */
  constructor(limitMs: number, tooLong: () => void) {
    this.#tooLong = tooLong;
    this.#timer = this.#wait(limitMs);
  }

  /** A sign of life; the next one may take `limitMs`. */
  broken(limitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#wait(limitMs);
  }

  /** No sign is waited for any more. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #wait(limitMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = setTimeout(this.#tooLong, secondLookMs);
    }, limitMs);
  }
}
