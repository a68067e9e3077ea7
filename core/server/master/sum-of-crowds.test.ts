import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Crowds, crowdsSchema } from '../crowds.ts';
import { SumOfCrowds } from './sum-of-crowds.ts';

const crowds = (addresses: Crowds['addresses'], users: Crowds['users'] = []): Crowds => ({
  addresses,
  networks: [],
  users,
});

test('each hears what the others have, put together, and nothing of its own', () => {
  const [one, other, third] = [
    crowds([
      ['192.0.2.1', 3],
      ['192.0.2.2', 5],
    ]),
    crowds([['192.0.2.1', 4]], [['alice', 2]]),
    crowds([['192.0.2.1', 1]]),
  ];
  const sum = new SumOfCrowds([one, other, third]);
  assert.deepEqual(sum.without(one), crowds([['192.0.2.1', 5]], [['alice', 2]]));
  assert.deepEqual(
    sum.without(other),
    crowds([
      ['192.0.2.1', 4],
      ['192.0.2.2', 5],
    ]),
  );
  assert.deepEqual(sum.without(undefined).addresses[0], ['192.0.2.1', 8]);
});

test('however many there are, what is told can be told: those who have the most', () => {
  const all = Array.from({ length: 5 }, (_, front) =>
    crowds(Array.from({ length: 200 }, (__, index) => [`${front}.${index}`, index + 1])),
  );
  const told = new SumOfCrowds(all).without(undefined);
  assert.ok(crowdsSchema.safeParse(told).success);
  assert.equal(told.addresses[0]?.[1], 200);
  assert.equal(told.addresses.at(-1)?.[1], 149);
});
