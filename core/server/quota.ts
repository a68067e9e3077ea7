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
  readonly #waiting = new Map<string, number>();
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
    add(this.#taken, key, 1);
    if (taken + 1 >= (this.#told.get(key) ?? 0) + this.#worthTelling) this.grown();
    return () => add(this.#taken, key, -1);
  }

  /** Whether there might be one more if others had none, and all who wait for an answer were let in. */
  mightHave(key: string | undefined): boolean {
    if (key === undefined) return true;
    return (this.#taken.get(key) ?? 0) + (this.#waiting.get(key) ?? 0) < this.#max;
  }

  /** Whether others have any. */
  isContested(key: string | undefined): boolean {
    return key !== undefined && this.#elsewhereOf(key) > 0;
  }

  /** One waits to hear whether there is one more. Gives what is to be called, once, when it has. */
  awaited(key: string | undefined): () => void {
    if (key === undefined) return () => {};
    add(this.#waiting, key, 1);
    return () => add(this.#waiting, key, -1);
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
}

/** What is counted to nothing is not kept. */
function add(counts: Map<string, number>, key: string, more: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count <= 0) counts.delete(key);
  else counts.set(key, count);
}
