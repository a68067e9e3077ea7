import { letGo, over, type Pieces, piecesOf } from '../protocol/pieces.ts';
import type { Reply } from '../protocol/reply.ts';

type Message = AsyncIterable<Uint8Array>;

/**
 * A reply with the message, once its first octets are there. One that cannot be read is then refused with -ERR, where it would
 * otherwise be broken off after a +OK. Throws or rejects with what reading it does. A promise where octets have to be waited for.
 */
export function begunReply(message: Message, replyWith: (message: Message) => Reply): Reply | Promise<Reply> {
  const pieces = piecesOf(message);
  try {
    const first = pieces.nextHere?.();
    if (first !== undefined) return replyWith(new BegunMessage(first, pieces));
  } catch (error) {
    void letGo(pieces);
    throw error;
  }
  return begunLater(pieces, replyWith);
}

async function begunLater(
  pieces: Pieces<Uint8Array>,
  replyWith: (message: Message) => Reply,
): Promise<Reply> {
  try {
    return replyWith(new BegunMessage(await pieces.next(), pieces));
  } catch (error) {
    await letGo(pieces);
    throw error;
  }
}

/** Whoever gets it reads it, or calls `return`. A class, not an async generator: this stands between each message and the client. */
class BegunMessage implements AsyncIterableIterator<Uint8Array>, Pieces<Uint8Array> {
  #first: IteratorResult<Uint8Array> | undefined;
  readonly #pieces: Pieces<Uint8Array>;

  constructor(first: IteratorResult<Uint8Array>, pieces: Pieces<Uint8Array>) {
    this.#first = first;
    this.#pieces = pieces;
  }

  nextHere(): IteratorResult<Uint8Array> | undefined {
    const first = this.#first;
    if (first === undefined) return this.#pieces.nextHere?.();
    this.#first = undefined;
    return first;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const first = this.#first;
    if (first === undefined) return this.#pieces.next();
    this.#first = undefined;
    return Promise.resolve(first);
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#pieces.return?.();
    return over;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
