import type { Pieces } from 'popperd';

import { type MessageReader, messageChanged } from './message-reader.ts';
import type { Extent } from './rows.ts';

/** Where a message is, with its beginning in the reader's memory. */
export interface FoundMessage {
  readonly reader: MessageReader;
  readonly extent: Extent;
}

export interface MessageFinder {
  /** The message, if it is in memory and nothing has to be waited for. */
  findHere(): FoundMessage | undefined;
  find(): Promise<FoundMessage>;
  /** Asked when the file has changed since: whether the message has not. The reader is renewed by then. */
  isStillThere(found: FoundMessage): Promise<boolean>;
  /** Told when it was read to its end. */
  readonly onWhole?: () => void;
}

/**
 * A message without its From_ line. A chunk is valid until the next one is asked for.
 *
 * It stands between each message and its client. An async generator would read better; two, one within the other, cost
 * more than all else that is done with a message in memory.
 */
export class MessageChunks implements AsyncIterableIterator<Buffer>, Pieces<Buffer> {
  readonly #finder: MessageFinder;
  readonly #signal: AbortSignal;
  #found: FoundMessage | undefined;
  #position = 0;
  #end = 0;
  #isOver = false;

  constructor(finder: MessageFinder, signal: AbortSignal) {
    this.#finder = finder;
    this.#signal = signal;
  }

  nextHere(): IteratorResult<Buffer> | undefined {
    if (this.#isOver) return over;
    const found = this.#found ?? this.#begin(this.#finder.findHere());
    if (found === undefined || this.#signal.aborted) return undefined;
    if (this.#position === this.#end) return this.#finishWhole();
    const chunk = found.reader.view(this.#position, this.#end);
    return chunk.length === 0 ? undefined : this.#give(chunk);
  }

  next(): Promise<IteratorResult<Buffer>> {
    const here = this.nextHere();
    return here === undefined ? this.#nextLater() : Promise.resolve(here);
  }

  return(): Promise<IteratorResult<Buffer>> {
    return Promise.resolve(this.#finish());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #nextLater(): Promise<IteratorResult<Buffer>> {
    try {
      const found = this.#found ?? this.#begin(await this.#finder.find());
      while (this.#position < this.#end && !(await this.#isInSight(found))) continue;
      if (this.#position === this.#end) return this.#finishWhole();
      return this.#give(found.reader.view(this.#position, this.#end));
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  /** Whether there is more of it in memory now. */
  async #isInSight(found: FoundMessage): Promise<boolean> {
    this.#signal.throwIfAborted();
    const { reader } = found;
    if (reader.view(this.#position, this.#end).length > 0) return true;
    if (await reader.bringIn(this.#position)) {
      if (reader.view(this.#position, this.#end).length > 0) return true;
      throw messageChanged('the mailbox ended within a message');
    }
    if (await this.#finder.isStillThere(found)) return false;
    throw messageChanged('the message changed while it was sent');
  }

  #begin<Found extends FoundMessage | undefined>(found: Found): Found {
    if (found === undefined) return found;
    const { offset, envelopeOctets, contentOctets } = found.extent;
    this.#position = offset + envelopeOctets;
    this.#end = this.#position + contentOctets;
    this.#found = found;
    found.reader.begin();
    return found;
  }

  #give(chunk: Buffer): IteratorResult<Buffer> {
    this.#position += chunk.length;
    return { done: false, value: chunk };
  }

  /** A client that wants only the beginning does not ask whether there is more. */
  #finishWhole(): IteratorResult<Buffer> {
    this.#finder.onWhole?.();
    return this.#finish();
  }

  #finish(): IteratorResult<Buffer> {
    this.#isOver = true;
    this.#found?.reader.end();
    this.#found = undefined;
    return over;
  }
}

const over: IteratorResult<Buffer> = { done: true, value: undefined };
