import type { Maildrop } from '../maildrop/maildrop.ts';
import { Failure } from '../protocol/failure.ts';

/** The marks that DELE sets and RSET clears. Nothing is removed before UPDATE, so this is all a session changes. */
export class Deletions {
  readonly #maildrop: Maildrop;
  readonly #marked = new Set<number>();
  #markedOctets = 0;

  constructor(maildrop: Maildrop) {
    this.#maildrop = maildrop;
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

  /** The index of the message with this number, counted from 1. Throws a Failure for one that is not there. */
  indexOf(number: number): number {
    if (number > this.#maildrop.count) throw new Failure(`there is no message ${number}`);
    if (this.#marked.has(number - 1)) throw new Failure(`message ${number} is deleted`);
    return number - 1;
  }

  /** Indexes of the messages not marked; each keeps its number for the whole session (RFC 1939 section 5). */
  *remaining(): Generator<number> {
    for (let index = 0; index < this.#maildrop.count; index += 1) {
      if (!this.#marked.has(index)) yield index;
    }
  }

  mark(number: number): void {
    const index = this.indexOf(number);
    this.#marked.add(index);
    this.#markedOctets += this.#maildrop.octetsOf(index);
  }

  reset(): void {
    this.#marked.clear();
    this.#markedOctets = 0;
  }
}
