import assert from 'node:assert/strict';
import { afterEach, beforeEach, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { Retries } from './retries.ts';

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

const minute = async (): Promise<void> => {
  mock.timers.tick(60_000);
  await turn();
};

it('what failed is tried each minute until it succeeds, and other work is not held up by it', async () => {
  const retries = new Retries();
  const tried: string[] = [];
  let isBroken = true;
  retries.add('first', async () => {
    tried.push('first');
    if (isBroken) throw new Error('still broken');
  });
  retries.add('second', async () => void tried.push('second'));
  assert.equal(tried.length, 0);
  await minute();
  assert.deepEqual(tried, ['first', 'second']);
  isBroken = false;
  await minute();
  await minute();
  assert.deepEqual(tried, ['first', 'second', 'first']);
  retries.add('second', async () => void tried.push('again'));
  await minute();
  assert.equal(tried.at(-1), 'again');
});

it('work that takes longer than a minute is not begun twice', async () => {
  const retries = new Retries();
  let begun = 0;
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  retries.add('slow', async () => {
    begun += 1;
    await promise;
  });
  await minute();
  await minute();
  assert.equal(begun, 1);
  finish();
  await turn();
  await minute();
  assert.equal(begun, 1);
});
