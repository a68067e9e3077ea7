/** What is wrong with a command's arguments. */
export type UsageFault =
  | { readonly kind: 'missing' | 'left over' | 'malformed' }
  | { readonly kind: 'no message number'; readonly word: string };

/** The client got the arguments wrong; it is answered with the command's usage line, or with what was wrong. */
export class UsageError extends Error {
  readonly fault: UsageFault;

  constructor(fault: UsageFault = { kind: 'malformed' }) {
    super(fault.kind);
    this.fault = fault;
  }
}

/**
 * The words after a command's keyword. RFC 1939 section 3 separates them by one space each; two spaces in a row, or a
 * space at the end, make an empty word, which every reader but `rest` refuses.
 */
export class Arguments {
  readonly #text: string;
  /** Where the next word begins; undefined when there are no more. */
  #at: number | undefined;

  private constructor(text: string) {
    this.#text = text;
    this.#at = text === '' ? undefined : 0;
  }

  /** Lets `read` take words from `text`, and refuses what it leaves over. */
  static parse<T>(text: string, read: (args: Arguments) => T): T {
    const args = new Arguments(text);
    const value = read(args);
    if (args.#at !== undefined) throw new UsageError({ kind: 'left over' });
    return value;
  }

  word(): string {
    if (this.#at === undefined) throw new UsageError({ kind: 'missing' });
    const space = this.#text.indexOf(' ', this.#at);
    const word = space === -1 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, space);
    this.#at = space === -1 ? undefined : space + 1;
    if (word === '') throw new UsageError();
    return word;
  }

  /** A message number: 1 or more, decimal digits only, no leading zero. `LIST 4294967297` is never message 1. */
  number(): number {
    return this.#decimal(messageNumber, (word) => ({ kind: 'no message number', word }));
  }

  /** A count of lines: 0 or more (TOP, RFC 1939 section 7). More digits than a number can hold mean "all of them". */
  count(): number {
    return this.#decimal(lineCount, () => ({ kind: 'malformed' }));
  }

  optional<T>(read: (args: this) => T): T | undefined {
    return this.#at === undefined ? undefined : read(this);
  }

  /** Everything that is left, spaces and all: a password may have them (RFC 1939 section 7). */
  rest(): string {
    const rest = this.#at === undefined ? '' : this.#text.slice(this.#at);
    this.#at = undefined;
    if (rest === '') throw new UsageError({ kind: 'missing' });
    return rest;
  }

  #decimal(form: RegExp, faultOf: (word: string) => UsageFault): number {
    const word = this.word();
    if (!form.test(word)) throw new UsageError(faultOf(word));
    return Number(word);
  }
}

const messageNumber = /^[1-9][0-9]{0,9}$/;
const lineCount = /^(0|[1-9][0-9]*)$/;
