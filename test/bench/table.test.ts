import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Result } from './rounds.ts';
import { tableOf } from './table.ts';

const result = (contender: string, round: number, value: number): Result => ({
  title: 'work',
  unit: 'CPU ms',
  better: 'less',
  contender,
  round,
  value,
});

test('where less is better, the one with less is better by the median of the rounds', () => {
  const ours = [1, 2, 100].map((value, index) => result('ours', index + 1, value));
  const theirs = [4, 6, 200].map((value, index) => result('theirs', index + 1, value));
  assert.equal(
    tableOf([...ours, ...theirs], ['ours', 'theirs']),
    [
      '| work | unit | ours | theirs | ours is better than theirs by |',
      '| --- | --- | --: | --: | --: |',
      '| work | CPU ms | 2.00 | 6.00 | x 3.00 |',
    ].join('\n'),
  );
});

test('where more is better, it is the other way round', () => {
  const results = [result('ours', 1, 3), result('theirs', 1, 2)].map((one) => ({
    ...one,
    better: 'more' as const,
  }));
  assert.match(tableOf(results, ['ours', 'theirs']), /x 1\.50 \|$/);
});
