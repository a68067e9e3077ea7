/** Work that failed for now: each piece is tried again every minute until it succeeds. */
export class Retries {
  readonly #attempts = new Map<string, () => Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;

  /** A later attempt of the same name replaces the earlier one. */
  add(name: string, attempt: () => Promise<void>): void {
    this.#attempts.set(name, attempt);
    // The process may end meanwhile: the next start tries again, too.
    this.#timer ??= setInterval(() => void this.#runAll(), everyMs).unref();
  }

  async #runAll(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (const [name, attempt] of this.#attempts) {
      if (await succeeds(attempt)) this.#attempts.delete(name);
    }
    this.#isRunning = false;
    if (this.#attempts.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const everyMs = 60_000;

/** Its first failure was told, and the next login tells of others. */
const succeeds = (attempt: () => Promise<void>): Promise<boolean> =>
  attempt().then(
    () => true,
    () => false,
  );
