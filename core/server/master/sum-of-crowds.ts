import { type Counts, type Crowds, crowdsBy, tellable } from '../crowds.ts';

/** What several processes have told of who has many connections, put together. */
export class SumOfCrowds {
  /** Those who have the most: more could not be told anyway. */
  readonly #sums: Crowds;

  constructor(all: readonly Crowds[]) {
    this.#sums = crowdsBy((kind) => tellable(sumOf(all.map((crowds) => crowds[kind]))));
  }

  /** What the others have, for the one that has told this. */
  without(own: Crowds | undefined): Crowds {
    return crowdsBy((kind) => {
      const ofOwn = new Map(own?.[kind]);
      return this.#sums[kind].flatMap(([who, count]) => {
        const left = count - (ofOwn.get(who) ?? 0);
        return left > 0 ? [[who, left] as [string, number]] : [];
      });
    });
  }
}

function sumOf(all: readonly Counts[]): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const [who, count] of all.flat()) sum.set(who, (sum.get(who) ?? 0) + count);
  return sum;
}
