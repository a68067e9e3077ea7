import assert from 'node:assert/strict';
import { it } from 'node:test';

import { WindowPool } from './window-pool.ts';

it('large windows are lent again, and never more of them than there are', () => {
  const pool = new WindowPool(4096, 2);
  const [first, second] = [pool.takeLarge(), pool.takeLarge()];
  assert.ok(first !== undefined && second !== undefined && first !== second);
  assert.equal(pool.takeLarge(), undefined);
  pool.giveBack(first);
  assert.equal(pool.takeLarge(), first);
  pool.giveBack(pool.takeSmall());
  assert.equal(pool.takeLarge(), undefined);
  pool.giveUp(second);
  const third = pool.takeLarge();
  assert.ok(third !== undefined && third !== second, 'one that is still written to was lent again');
});

it('an operator who gives every session a large window needs no others', () => {
  const pool = new WindowPool(2 * 1024 * 1024);
  assert.equal(pool.takeLarge(), undefined);
  pool.giveBack(pool.takeSmall());
  assert.equal(pool.takeSmall().length, 2 * 1024 * 1024);
});
