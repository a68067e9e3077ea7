import { z } from 'zod';

/** So many of each kind are told of, those with the most. */
export const mostTold = 256;
/** Whoever is called by more has a limit in each process for himself. */
const longestName = 512;

const counts = z.array(z.tuple([z.string().max(longestName), z.int().min(1)])).max(mostTold);

/**
 * How many connections, or sessions, those have who have many: what processes tell one another, since limits by address, network
 * and user are for all of them together.
 */
export const crowdsSchema = z.strictObject({ addresses: counts, networks: counts, users: counts });
export type Crowds = z.output<typeof crowdsSchema>;
export type Counts = z.output<typeof counts>;

const kinds = ['addresses', 'networks', 'users'] as const;

/** The same of each kind. */
export const crowdsBy = (countsOf: (kind: keyof Crowds) => Counts): Crowds => ({
  addresses: countsOf('addresses'),
  networks: countsOf('networks'),
  users: countsOf('users'),
});

export const isEmpty = (crowds: Crowds): boolean => kinds.every((kind) => crowds[kind].length === 0);

/** Of these, what can be told. */
export const tellable = (all: Iterable<[string, number]>): Counts =>
  [...all]
    .filter(([who]) => who.length <= longestName)
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, mostTold);
