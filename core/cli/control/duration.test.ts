import { strictEqual as equal } from 'node:assert/strict';
import { test } from 'node:test';

import { durationOf, since } from './duration.ts';

test('a duration is told by its two largest units', () => {
  const told: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [999, '0s'],
    [45_000, '45s'],
    [187_000, '3m07s'],
    [7_200_000, '2h00m'],
    [3_563_999_000, '41d05h'],
  ];
  for (const [ms, words] of told) equal(durationOf(ms), words);
});

test('a moment that lies ahead, since a clock was set, is now', () => {
  equal(since('2026-01-01T00:00:10.000Z', Date.parse('2026-01-01T00:00:00.000Z')), '0s');
});
