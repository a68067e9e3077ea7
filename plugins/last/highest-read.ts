import { setImmediate as turn } from 'node:timers/promises';

import type { TransactionSession } from 'popperd';

import { saysRead } from './status-field.ts';

/** So many messages are read upwards at a time, for stores that read ahead. */
const blockMessages = 32;

type What = Pick<TransactionSession, 'maildrop' | 'deletions' | 'signal'>;

/** The highest number of a message that the client has had in this session, or in one before, and has not deleted. */
export class HighestRead {
  readonly #now = new Set<number>();
  /** By index, from `#lookedFrom` on: what the messages themselves say. */
  readonly #before = new Set<number>();
  #lookedFrom = Number.POSITIVE_INFINITY;

  note(number: number): void {
    this.#now.add(number);
  }

  reset(): void {
    this.#now.clear();
  }

  async highest({ maildrop, deletions, signal }: What): Promise<number> {
    for (let index = maildrop.count - 1; index >= 0; index -= 1) {
      if (deletions.marked.has(index)) continue;
      if (this.#now.has(index + 1)) return index + 1;
      if (index < this.#lookedFrom) await this.#lookUpTo(index, { maildrop, deletions, signal });
      if (this.#before.has(index)) return index + 1;
    }
    return 0;
  }

  /** A message does not change in a session, so none is looked at twice. */
  async #lookUpTo(last: number, { maildrop, signal }: What): Promise<void> {
    const first = Math.max(0, last + 1 - blockMessages);
    for (let index = first; index <= last; index += 1) {
      signal.throwIfAborted();
      if (await saysRead(maildrop.read(index, signal))) this.#before.add(index);
    }
    this.#lookedFrom = Math.min(this.#lookedFrom, first);
    // Mail in memory is read without a pause, and meanwhile nobody else would be served.
    await turn();
  }
}
