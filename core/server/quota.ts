/** So many at one time for each key, and no more. */
export class Quota {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** One more; gives what is to be called, once, at its end. Undefined where there are too many. Without a key there is no limit. */
  take(key: string | undefined): (() => void) | undefined {
    if (key === undefined) return () => {};
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#max) return undefined;
    this.#taken.set(key, taken + 1);
    return () => this.#giveBack(key);
  }

  #giveBack(key: string): void {
    const left = (this.#taken.get(key) ?? 1) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
