/** The messages of a board, a column for each fact; indexes are counted from 0. */
export interface Columns {
  readonly count: number;
  readonly totalOctets: number;
  /** The highest number that a message of the board has ever had, as far as is known. */
  readonly maxima: number;
  /** Where each From_ line begins in the file. */
  readonly offsets: Float64Array;
  /** Where each message's text begins, and where it ends. */
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** Octets as RETR sends them. */
  readonly octets: Float64Array;
  /** The numbers that messages have for good; each is higher than the one before it. */
  readonly numbers: Float64Array;
}

/** A message found. */
export interface FoundMessage {
  readonly offset: number;
  readonly start: number;
  readonly end: number;
  readonly octets: number;
  /** What it says itself, if anything. */
  readonly number: number | undefined;
}

/** Gathers messages in the order in which they lie in the file. */
export class ColumnsMaker {
  readonly #messages: FoundMessage[] = [];
  readonly #numbers: number[] = [];
  #totalOctets = 0;
  #highest: number;

  /** `removed` messages lay before the first. */
  constructor(removed: number) {
    this.#highest = removed;
  }

  /** What a message says is believed where its number is higher than all before it; else it has the next one. */
  add(message: FoundMessage): void {
    const { number, octets } = message;
    this.#highest = number !== undefined && number > this.#highest ? number : this.#highest + 1;
    this.#numbers.push(this.#highest);
    this.#messages.push(message);
    this.#totalOctets += octets;
  }

  end(): Columns {
    const column = (name: 'offset' | 'start' | 'end' | 'octets'): Float64Array =>
      Float64Array.from(this.#messages, (message) => message[name]);
    return {
      count: this.#messages.length,
      totalOctets: this.#totalOctets,
      maxima: this.#highest,
      offsets: column('offset'),
      starts: column('start'),
      ends: column('end'),
      octets: column('octets'),
      numbers: Float64Array.from(this.#numbers),
    };
  }
}
