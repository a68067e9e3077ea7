import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { BufferPool } from './buffer-pool.ts';

const octets = 16;
const lookMs = 10_000;

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

function lend(pool: BufferPool, count: number): Buffer[] {
  return Array.from({ length: count }, () => pool.take());
}

function giveBack(pool: BufferPool, buffers: readonly Buffer[]): void {
  for (const buffer of buffers) pool.giveBack(buffer);
}

/** How many of these the pool has kept. */
function keptOf(pool: BufferPool, buffers: readonly Buffer[]): number {
  const taken = lend(pool, buffers.length);
  return taken.filter((buffer) => buffers.includes(buffer)).length;
}

test('what was given back is lent again, and no more than so many lie idle', () => {
  const pool = new BufferPool(octets, 3);
  const buffers = lend(pool, 5);
  assert.deepEqual([...new Set(buffers.map(({ length }) => length))], [octets]);
  giveBack(pool, buffers);
  assert.equal(keptOf(pool, buffers), 3);
});

test('what nobody has needed from one look to the next goes, and what was in use stays', () => {
  const pool = new BufferPool(octets, 10);
  const buffers = lend(pool, 5);
  giveBack(pool, buffers);
  mock.timers.tick(lookMs);
  // Two are in use for a moment: three lay idle throughout.
  giveBack(pool, lend(pool, 2));
  mock.timers.tick(lookMs);
  assert.equal(keptOf(pool, buffers), 2);
});

test('after a quiet time none is left, and it begins anew', () => {
  const pool = new BufferPool(octets, 10);
  for (let time = 0; time < 2; time += 1) {
    const buffers = lend(pool, 5);
    giveBack(pool, buffers);
    mock.timers.tick(lookMs);
    mock.timers.tick(lookMs);
    assert.equal(keptOf(pool, buffers), 0);
  }
});

test('one that is lent while the pool looks is not forgotten when it comes back', () => {
  const pool = new BufferPool(octets, 10);
  const buffers = lend(pool, 2);
  giveBack(pool, buffers);
  const lent = lend(pool, 2);
  mock.timers.tick(lookMs);
  giveBack(pool, lent);
  mock.timers.tick(lookMs - 1);
  assert.equal(keptOf(pool, buffers), 2);
});
