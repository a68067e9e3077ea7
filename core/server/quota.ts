import { type Counts, tellable } from './crowds.ts';

/** So many at one time for each key, and no more: those in other processes included of which this one is told. */
export class Quota {
  /** Called when one has so many more than was told that others have to hear of it soon. */
  grown: () => void = () => {};
  readonly #max: number;
  readonly #worthTelling: number;
  readonly #taken = new Map<string, number>();
  #told: ReadonlyMap<string, number> = new Map();
  #elsewhere: ReadonlyMap<string, number> = new Map();

  /** `worthTelling`: of a key with fewer than that here the others need not know. Unless given they never do. */
  constructor(max: number, worthTelling = Infinity) {
    this.#max = max;
    this.#worthTelling = worthTelling;
  }

  /** One more; gives what is to be called, once, at its end. Undefined where there are too many. Without a key there is no limit. */
  take(key: string | undefined): (() => void) | undefined {
    if (key === undefined) return () => {};
    const taken = this.#taken.get(key) ?? 0;
    if (taken + (this.#elsewhere.get(key) ?? 0) >= this.#max) return undefined;
    this.#taken.set(key, taken + 1);
    if (taken + 1 >= (this.#told.get(key) ?? 0) + this.#worthTelling) this.grown();
    return () => this.#giveBack(key);
  }

  /** What others have to know of those who have many here. It counts as told. */
  tell(): Counts {
    const many = tellable([...this.#taken].filter(([, taken]) => taken >= this.#worthTelling));
    this.#told = new Map(many);
    return many;
  }

  /** What other processes have, in the place of what was heard before. */
  hear(elsewhere: Counts): void {
    this.#elsewhere = new Map(elsewhere);
  }

  #giveBack(key: string): void {
    const left = (this.#taken.get(key) ?? 1) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
