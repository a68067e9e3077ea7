import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Slabs } from './slabs.ts';

test('slabs are lent to one at a time, however many are wanted, and used again', () => {
  const slabs = new Slabs(65_536);
  const lent = Array.from({ length: 200 }, (_, index) => slabs.take().fill(index));
  for (const [index, slab] of lent.entries()) assert.ok(slab.equals(Buffer.alloc(65_536, index)));
  const [first] = lent;
  const ofKernel = lent.filter((slab) => slab.buffer === first?.buffer);
  assert.ok(ofKernel.length >= 16 && ofKernel.length < lent.length);
  for (const slab of lent) slabs.giveBack(slab);
  const again = Array.from({ length: ofKernel.length }, () => slabs.take());
  assert.deepEqual(new Set(again), new Set(ofKernel));
});
