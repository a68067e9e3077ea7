import assert from 'node:assert/strict';
import { test } from 'node:test';

import { StalledReaders } from './stalled-readers.ts';

function begin(...stalledSinceMs: readonly (number | undefined)[]) {
  const clock = { nowMs: 0 };
  const all = stalledSinceMs.map((since) => ({ stalledSinceMs: since }));
  return {
    clock,
    stalled: new StalledReaders(
      () => all,
      () => clock.nowMs,
    ),
  };
}

test('of clients who have read nothing for a minute, the one for the longest is found', () => {
  const { clock, stalled } = begin(undefined, 2000, 1000, 3000);
  clock.nowMs = 63_000;
  assert.deepEqual(stalled.worst(), { stalledSinceMs: 1000 });
});

test('a client who has been slow for less than a minute is left alone, and so are those who read', () => {
  const { clock, stalled } = begin(undefined, 1000);
  clock.nowMs = 60_999;
  assert.equal(stalled.worst(), undefined);
});

test('many who ask cost one look a second', () => {
  const { clock, stalled } = begin(0);
  clock.nowMs = 100_000;
  assert.ok(stalled.worst());
  clock.nowMs = 100_999;
  assert.equal(stalled.worst(), undefined);
  clock.nowMs = 101_000;
  assert.ok(stalled.worst());
});
