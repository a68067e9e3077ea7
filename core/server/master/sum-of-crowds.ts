import { type Counts, type Crowds, crowdsBy, mostTold } from '../crowds.ts';

/** What several processes have told of who has many connections, put together. */
export class SumOfCrowds {
  /** Those with the most first. */
  readonly #sums: Readonly<Record<keyof Crowds, readonly [string, number][]>>;

  constructor(all: readonly Crowds[]) {
    this.#sums = {
      addresses: sumOf(all.map(({ addresses }) => addresses)),
      networks: sumOf(all.map(({ networks }) => networks)),
      users: sumOf(all.map(({ users }) => users)),
    };
  }

  /** What the others have, for the one that has told this. */
  without(own: Crowds | undefined): Crowds {
    return crowdsBy((kind) => {
      const ofOwn = new Map(own?.[kind]);
      const left: Counts = [];
      for (const [who, count] of this.#sums[kind]) {
        const elsewhere = count - (ofOwn.get(who) ?? 0);
        if (elsewhere > 0) left.push([who, elsewhere]);
        if (left.length === mostTold) break;
      }
      return left;
    });
  }
}

function sumOf(all: readonly Counts[]): readonly [string, number][] {
  const sum = new Map<string, number>();
  for (const [who, count] of all.flat()) sum.set(who, (sum.get(who) ?? 0) + count);
  return [...sum].toSorted(([, one], [, other]) => other - one);
}
