/**
 * The message once its first octets are there. One that cannot be read is then refused with -ERR, where it would
 * otherwise be broken off after a +OK. Throws what reading it throws. Whoever gets it reads it, or calls `return`.
 */
export async function begun(message: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const chunks = message[Symbol.asyncIterator]();
  return new BegunMessage(await chunks.next(), chunks);
}

/** A class, not an async generator: this stands between each message and the client. */
class BegunMessage implements AsyncIterableIterator<Uint8Array> {
  #first: IteratorResult<Uint8Array> | undefined;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(first: IteratorResult<Uint8Array>, chunks: AsyncIterator<Uint8Array>) {
    this.#first = first;
    this.#chunks = chunks;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const first = this.#first;
    if (first === undefined) return this.#chunks.next();
    this.#first = undefined;
    return Promise.resolve(first);
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
