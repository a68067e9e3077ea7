import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Maildrop } from 'popperd';
import {
  identityOf,
  memoryState,
  MemoryStore,
  storeConformance,
  type MemoryState,
  type StoreUnderTest,
} from 'popperd/testing';

import { questionsFor } from './conformance/question.ts';

storeConformance({ name: 'the memory store', make: () => storeWith({}) });

/** What a store that is wrong in one way does otherwise. */
interface Flaw {
  readonly state?: () => MemoryState;
  readonly opened?: (maildrop: Maildrop, store: MemoryStore) => Partial<Maildrop>;
}

async function storeWith({
  state: makeState = memoryState,
  opened = () => ({}),
}: Flaw): Promise<StoreUnderTest> {
  const state = makeState();
  const store = new MemoryStore(state);
  return {
    deliver: async (user, messages) => store.deliver(user, messages),
    async open(user) {
      const maildrop = await store.open(identityOf(user));
      const right: Maildrop = {
        count: maildrop.count,
        totalOctets: maildrop.totalOctets,
        octetsOf: (index) => maildrop.octetsOf(index),
        uidOf: (index) => maildrop.uidOf(index),
        read: (index, signal) => maildrop.read(index, signal),
        commit: (deleted) => maildrop.commit(deleted),
        close: () => maildrop.close(),
      };
      return { ...right, ...opened(maildrop, store) };
    },
    stored: async (user) => store.stored(user),
    restart: async () => {},
    removeBehind: async (user, index) => store.removeBehind(user, index),
    dispose: () => state.remove(),
  };
}

const lockless = (): MemoryState =>
  Object.assign(memoryState(), { claim: async () => ({ release: async () => {} }) });

const flaws: readonly (readonly [what: string, flaw: Flaw, found: RegExp])[] = [
  [
    'counts line ends as they are stored',
    {
      opened: (maildrop) => ({
        octetsOf: (index) => maildrop.octetsOf(index) - 1,
        totalOctets: maildrop.totalOctets - maildrop.count,
      }),
    },
    /its octets are those of RETR/,
  ],
  [
    'says that nothing may be removed where something may',
    {
      opened: () => ({
        mayDelete: async () => {
          throw new Error('never');
        },
      }),
    },
    /is not said to stay/,
  ],
  [
    'adds its sizes up wrongly',
    { opened: ({ totalOctets }) => ({ totalOctets: totalOctets + 1 }) },
    /all kinds of messages/,
  ],
  [
    'loses the end of a message',
    {
      opened: (maildrop) => ({
        async *read(index, signal) {
          for await (const chunk of maildrop.read(index, signal)) yield chunk.subarray(0, -1);
        },
      }),
    },
    /read as it is stored/,
  ],
  [
    'gives twins one unique-id',
    { opened: (maildrop) => ({ uidOf: (index) => `${maildrop.octetsOf(index)}` }) },
    /^M12/,
  ],
  [
    'makes unique-ids of numbers',
    { opened: () => ({ uidOf: (index) => `number-${index}` }) },
    /^M11: deleting 0/,
  ],
  [
    'makes a unique-id with a space',
    { opened: () => ({ uidOf: (index) => `uid ${index}` }) },
    /^M11: .* printable/,
  ],
  ['has no lock', { state: lockless }, /^A9/],
  [
    'removes as many as were marked, from the front',
    { opened: (maildrop) => ({ commit: (deleted) => maildrop.commit(new Set([...deleted].keys())) }) },
    /^U1: a commit of the last /,
  ],
  [
    'empties the whole maildrop where all of it was marked',
    {
      opened: (maildrop, store) => ({
        async commit(deleted) {
          await maildrop.commit(deleted);
          if (deleted.size === maildrop.count)
            while (store.stored('mrose').length > 0) store.removeBehind('mrose', 0);
        },
      }),
    },
    /^M13: .* everything is deleted/,
  ],
  ['says that it has removed what it has not', { opened: () => ({ commit: async () => {} }) }, /^U1/],
  [
    'removes by number what others have moved',
    {
      opened: (_, store) => ({
        async commit(deleted) {
          for (const index of [...deleted].toSorted((one, other) => other - one))
            store.removeBehind('mrose', index);
        },
      }),
    },
    /^M14/,
  ],
];

for (const [what, flaw, found] of flaws) {
  test(`a store that ${what} does not pass`, async () => {
    const failed: string[] = [];
    for (const { title, ask } of questionsFor({
      name: what,
      make: () => storeWith(flaw),
      manyMessages: 10,
    })) {
      await ask().catch(() => failed.push(title));
    }
    assert.ok(
      failed.some((title) => found.test(title)),
      `only these failed: ${failed.join('; ')}`,
    );
  });
}
