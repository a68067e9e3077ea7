import { type Counts, type Crowds, crowdsBy, tellable } from '../crowds.ts';

/** What several processes have told of who has many connections, put together. */
export class SumOfCrowds {
  readonly #all: readonly Crowds[];
  readonly #sums: Partial<Record<keyof Crowds, ReadonlyMap<string, number>>> = {};

  constructor(all: readonly Crowds[]) {
    this.#all = all;
  }

  /** What the others have, for the one that has told this. */
  without(own: Crowds | undefined): Crowds {
    return crowdsBy((kind) => {
      const left = new Map(this.#sumOf(kind));
      for (const [who, count] of own?.[kind] ?? []) left.set(who, (left.get(who) ?? 0) - count);
      return tellable([...left].filter(([, count]) => count > 0));
    });
  }

  #sumOf(kind: keyof Crowds): ReadonlyMap<string, number> {
    return (this.#sums[kind] ??= sumOf(this.#all.map((crowds) => crowds[kind])));
  }
}

function sumOf(all: readonly Counts[]): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const [who, count] of all.flat()) sum.set(who, (sum.get(who) ?? 0) + count);
  return sum;
}
