import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { Queue } from './queue.ts';

test('what comes in goes out in its order, whatever comes and goes in between', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3000, max: 4000 }), { maxLength: 12 }), (steps) => {
      const queue = new Queue<number>();
      const expected: number[] = [];
      let next = 0;
      for (const step of steps) {
        for (let count = step; count > 0; count -= 1) {
          queue.push(next);
          expected.push(next);
          next += 1;
        }
        for (let count = step; count < 0; count += 1) {
          assert.equal(queue.first, expected[0]);
          queue.shift();
          expected.shift();
        }
        assert.equal(queue.length, expected.length);
        assert.equal(queue.first, expected[0]);
      }
    }),
  );
});

// An array of that length takes minutes to be emptied from its front.
test('a million items are gone before anybody notices', { timeout: 60_000 }, () => {
  const queue = new Queue<number>();
  for (let item = 0; item < 1_000_000; item += 1) queue.push(item);
  while (queue.first !== undefined) queue.shift();
  assert.equal(queue.length, 0);
});
