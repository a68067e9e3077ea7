import type { Maildrop } from '../maildrop/maildrop.ts';
import { Failure } from '../protocol/failure.ts';
import { plainReplies } from '../replies/plain.ts';
import type { NoMessage, Replies } from '../replies/replies.ts';

/** The marks that DELE sets and RSET clears. Nothing is removed before UPDATE, so this is all a session changes. */
export class Deletions {
  readonly #maildrop: Maildrop;
  readonly #replies: Replies;
  readonly #marked = new Set<number>();
  #markedOctets = 0;

  constructor(maildrop: Maildrop, replies: Replies = plainReplies) {
    this.#maildrop = maildrop;
    this.#replies = replies;
  }

  /** Indexes of the marked messages, counted from 0. */
  get marked(): ReadonlySet<number> {
    return this.#marked;
  }

  get markedOctets(): number {
    return this.#markedOctets;
  }

  /** How many messages are not marked. */
  get remainingCount(): number {
    return this.#maildrop.count - this.#marked.size;
  }

  get remainingOctets(): number {
    return this.#maildrop.totalOctets - this.#markedOctets;
  }

  /** The index of the message with this number, counted from 1. Throws a Failure for one that is not there, which says what `otherwise` has for it. */
  indexOf(number: number, otherwise: NoMessage = this.#replies.noMessage): number {
    if (number > this.#maildrop.count) throw new Failure(otherwise.unknown(number));
    if (this.#marked.has(number - 1)) throw new Failure(otherwise.deleted(number));
    return number - 1;
  }

  /** Indexes of the messages not marked; each keeps its number for the whole session (RFC 1939 section 5). */
  *remaining(): Generator<number> {
    for (let index = 0; index < this.#maildrop.count; index += 1) {
      if (!this.#marked.has(index)) yield index;
    }
  }

  /** Throws a Failure for a message that is not there, or marked already. */
  mark(number: number): void {
    const index = this.indexOf(number, this.#replies.noMessageToDelete);
    this.#marked.add(index);
    this.#markedOctets += this.#maildrop.octetsOf(index);
  }

  reset(): void {
    this.#marked.clear();
    this.#markedOctets = 0;
  }
}
