import { type Counts, tellable } from './crowds.ts';

/** So long is believed what other processes have told, in milliseconds: they tell it every second. */
const believedForMs = 5000;

/** So many at one time for each key, and no more: those in other processes included of which this one is told. */
export class Quota {
  /** Called when one has so many more than was told that others have to hear of it soon. */
  grown: () => void = () => {};
  readonly #max: number;
  readonly #worthTelling: number;
  readonly #taken: Map<string, number>;
  #told: ReadonlyMap<string, number> = new Map();
  #elsewhere: ReadonlyMap<string, number> = new Map();
  #heardAtMs = -Infinity;

  /**
   * `worthTelling`: of a key with fewer than that here the others need not know; unless given they never do. `taken`: where those are
   * counted that another quota counts as well.
   */
  constructor(max: number, { worthTelling = Infinity, taken = new Map<string, number>() } = {}) {
    this.#max = max;
    this.#worthTelling = worthTelling;
    this.#taken = taken;
  }

  /** One more; gives what is to be called, once, at its end. Undefined where there are too many. Without a key there is no limit. */
  take(key: string | undefined): (() => void) | undefined {
    if (key === undefined) return () => {};
    const taken = this.#taken.get(key) ?? 0;
    if (taken + this.#elsewhereOf(key) >= this.#max) return undefined;
    this.#taken.set(key, taken + 1);
    if (taken + 1 >= (this.#told.get(key) ?? 0) + this.#worthTelling) this.grown();
    return () => this.#giveBack(key);
  }

  /** Whether there might be one more, if others had fewer by now. */
  isContested(key: string | undefined): boolean {
    return key !== undefined && (this.#taken.get(key) ?? 0) < this.#max && this.#elsewhereOf(key) > 0;
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
    this.#heardAtMs = performance.now();
  }

  #elsewhereOf(key: string): number {
    const count = this.#elsewhere.get(key);
    if (count === undefined || performance.now() - this.#heardAtMs > believedForMs) return 0;
    return count;
  }

  #giveBack(key: string): void {
    const left = (this.#taken.get(key) ?? 1) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
