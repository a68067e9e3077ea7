/**
 * Buffers of one size that are used over and over. A fresh one for each message costs more than the message: its pages
 * are cleared one by one by the kernel, and V8 counts it and runs whole collections because of it. What a busy time has made is
 * let go of when nobody has needed it for ten seconds.
 *
 * Whoever takes one owns it until it gives it back, and must be the last to know of it then: what the next one writes
 * there may be another user's mail.
 */
export class BufferPool {
  /** Of each buffer. */
  readonly octets: number;
  readonly #maxIdle: number;
  readonly #idle: Buffer[] = [];
  /** The fewest that lay idle at any moment since the last look. */
  #unneededCount = 0;
  #looks: NodeJS.Timeout | undefined;

  /** Keeps at most so many that nobody uses. */
  constructor(octets: number, maxIdle: number) {
    this.octets = octets;
    this.#maxIdle = maxIdle;
  }

  /** Holds what was there before. */
  take(): Buffer {
    const buffer = this.#idle.pop();
    if (this.#idle.length < this.#unneededCount) this.#unneededCount = this.#idle.length;
    return buffer ?? Buffer.allocUnsafeSlow(this.octets);
  }

  giveBack(buffer: Buffer): void {
    if (this.#idle.length >= this.#maxIdle) return;
    this.#idle.push(buffer);
    this.#looks ??= setInterval(() => this.#forgetUnneeded(), lookMs).unref();
  }

  #forgetUnneeded(): void {
    this.#idle.splice(0, this.#unneededCount);
    this.#unneededCount = this.#idle.length;
    if (this.#unneededCount > 0) return;
    clearInterval(this.#looks);
    this.#looks = undefined;
  }
}

const lookMs = 10_000;
