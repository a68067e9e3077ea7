import { Misuse } from './apply-error.ts';

/** Things that plugins add by name, each name with one owner. Frozen once every plugin has been applied. */
export class Table<T> {
  readonly #what: string;
  readonly #rows = new Map<string, { readonly value: T; readonly owner: string }>();
  #frozen = false;

  /** `what` is the singular noun for messages: "command", "mechanism". */
  constructor(what: string) {
    this.#what = what;
  }

  /** Throws a Misuse where the name is taken, naming both owners, or the table is frozen. */
  add(name: string, value: T, owner: string): void {
    if (this.#frozen)
      throw new Misuse(`${owner}: a ${this.#what} is added in apply(), not later`, `add it in apply()`);
    const taken = this.#rows.get(name);
    if (taken?.owner === owner)
      throw new Misuse(
        `${owner}: the ${this.#what} ${name} is there already: is the plugin in the list twice?`,
        `leave one ${owner} in the list`,
      );
    if (taken) {
      throw new Misuse(
        `${owner}: the ${this.#what} ${name} belongs to ${taken.owner} already`,
        taken.owner === 'popper' ? `leave ${owner} out` : `leave ${owner} out, or ${taken.owner}`,
      );
    }
    this.#rows.set(name, { value, owner });
  }

  get(name: string): T | undefined {
    return this.#rows.get(name)?.value;
  }

  has(name: string): boolean {
    return this.#rows.has(name);
  }

  freeze(): void {
    this.#frozen = true;
  }

  *entries(): Generator<{ readonly name: string; readonly value: T; readonly owner: string }> {
    for (const [name, row] of this.#rows) yield { name, ...row };
  }
}
