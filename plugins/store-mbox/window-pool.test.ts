import assert from 'node:assert/strict';
import { it } from 'node:test';

import { largeBuffers, takeRoom } from './commit/index.ts';
import { WindowPool } from './window-pool.ts';

it('large windows are lent again, and never more of them than there are', () => {
  const pool = new WindowPool(4096, 2);
  const [first, second] = [pool.takeLarge(), pool.takeLarge()];
  assert.ok(first !== undefined && second !== undefined && first.octets !== second.octets);
  assert.equal(pool.takeLarge(), undefined);
  first.giveBack();
  assert.equal(pool.takeLarge()?.octets, first.octets);
  pool.takeSmall().giveBack();
  assert.equal(pool.takeLarge(), undefined);
  second.giveUp();
  const third = pool.takeLarge();
  assert.ok(
    third !== undefined && third.octets !== second.octets,
    'one that is still written to was lent again',
  );
});

it('what was read into already counts as a large window, unless it is small', () => {
  const pool = new WindowPool(128 * 1024, 1);
  assert.ok(pool.adopt(takeRoom(8 * 1024)) !== undefined);
  const adopted = pool.adopt(takeRoom(200 * 1024));
  assert.ok(adopted !== undefined);
  assert.equal(pool.takeLarge(), undefined);
  const room = takeRoom(200 * 1024);
  assert.equal(pool.adopt(room), undefined, 'more was lent than there is');
  room.giveBack();
  adopted.giveBack();
  const next = takeRoom(largeBuffers.octets);
  assert.equal(next.octets.buffer, adopted.octets.buffer, 'it was not given back');
  assert.equal(
    pool.adopt(takeRoom(2 * largeBuffers.octets)),
    undefined,
    'too large for every session to have',
  );
  assert.ok(pool.adopt(next) !== undefined);
});

it('an operator who gives every session a large window needs no others', () => {
  const pool = new WindowPool(2 * 1024 * 1024);
  assert.equal(pool.takeLarge(), undefined);
  pool.takeSmall().giveBack();
  assert.equal(pool.takeSmall().octets.length, 2 * 1024 * 1024);
});
