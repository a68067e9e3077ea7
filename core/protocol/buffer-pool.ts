/**
 * Buffers of one size that are used over and over. A fresh one for each message costs more than the message: its pages
 * are cleared one by one by the kernel, and V8 counts it and runs whole collections because of it.
 *
 * Whoever takes one owns it until it gives it back, and must be the last to know of it then: what the next one writes
 * there may be another user's mail.
 */
export class BufferPool {
  /** Of each buffer. */
  readonly octets: number;
  readonly #maxIdle: number;
  readonly #idle: Buffer[] = [];

  /** Keeps at most so many that nobody uses. */
  constructor(octets: number, maxIdle: number) {
    this.octets = octets;
    this.#maxIdle = maxIdle;
  }

  /** Holds what was there before. */
  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.octets);
  }

  giveBack(buffer: Buffer): void {
    if (this.#idle.length < this.#maxIdle) this.#idle.push(buffer);
  }
}
