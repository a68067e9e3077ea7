import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Result } from './rounds.ts';
import { quotient, tableOf } from './table.ts';

const result = (contender: string, round: number, value: number): Result => ({
  title: 'work',
  unit: 'CPU ms',
  better: 'less',
  contender,
  round,
  value,
});

test('a figure is the median of its rounds, and none where there was none', () => {
  const ours = [1, 2, 100].map((value, index) => result('ours', index + 1, value));
  assert.equal(
    tableOf(ours, ['ours', 'theirs']),
    ['| work | unit | ours | theirs |', '| --- | --- | --: | --: |', '| work | CPU ms | 2.00 | - |'].join(
      '\n',
    ),
  );
});

test('a proportion is the median of those of the rounds', () => {
  const ours = [1, 2, 100].map((value, index) => result('ours', index + 1, value));
  const theirs = [4, 6, 200].map((value, index) => result('theirs', index + 1, value));
  assert.equal(quotient([...ours, ...theirs], 'ours', 'theirs'), 2 / 6);
});
