import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from 'popperd';
import { memoryMaildrop } from 'popperd/testing';

import { Deletions } from './deletions.ts';

const three = () => new Deletions(memoryMaildrop(['a\r\n', 'bb\r\n', 'ccc\r\n']));

for (const number of [4, 5, 4294967297, Number.MAX_SAFE_INTEGER]) {
  test(`there is no message ${number} of three, and asking for it marks nothing`, () => {
    const deletions = three();
    assert.throws(() => deletions.mark(number), Failure);
    assert.deepEqual([...deletions.marked], []);
  });
}

test('a message that is marked cannot be marked again, and its octets are counted once', () => {
  const deletions = three();
  deletions.mark(2);
  assert.throws(() => deletions.mark(2), /message 2 is deleted/);
  assert.deepEqual([deletions.remainingCount, deletions.remainingOctets, deletions.markedOctets], [2, 8, 4]);
  assert.deepEqual([...deletions.remaining()], [0, 2]);
});

test('a reset leaves nothing marked', () => {
  const deletions = three();
  for (const number of [1, 2, 3]) deletions.mark(number);
  assert.deepEqual([deletions.remainingCount, deletions.remainingOctets], [0, 0]);
  deletions.reset();
  assert.deepEqual([deletions.remainingCount, deletions.remainingOctets, deletions.markedOctets], [3, 12, 0]);
  assert.equal(deletions.indexOf(3), 2);
});
