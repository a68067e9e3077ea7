import assert from 'node:assert/strict';

import { letterNumber } from './letters.ts';
import type { Check } from './question.ts';
import { uidsOf } from './trial.ts';

/** A big maildrop. */
export function asksAboutMany(check: Check, count: number): void {
  check(`M17: ${count} messages are listed, deleted by halves and listed again`, async (trial) => {
    const delivered = Array.from({ length: count }, (_, index) => letterNumber(index + 1));
    await trial.deliver(delivered);
    const maildrop = await trial.open();
    trial.assertCounts(maildrop, delivered);
    const uids = uidsOf(maildrop);
    assert.equal(new Set(uids).size, count);
    for (const index of [0, count >> 1, count - 1])
      await trial.assertReads(maildrop, index, delivered[index]);
    await maildrop.commit(new Set([...delivered.keys()].filter((index) => index % 2 === 0)));
    const next = await trial.openAnew();
    trial.assertCounts(next, delivered.filter(isOdd));
    assert.deepEqual(uidsOf(next), uids.filter(isOdd));
    await trial.assertReads(next, next.count - 1, delivered.filter(isOdd).at(-1));
  });
}

const isOdd = (_: unknown, index: number): boolean => index % 2 === 1;
