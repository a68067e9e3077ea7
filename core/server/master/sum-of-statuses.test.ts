import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { nothing, pastOf, plus, totalOf } from './sum-of-statuses.ts';

const one = {
  sessions: { authorization: 1, transaction: 2 },
  logins: { accepted: 3, refused: 4 },
  retrieved: { messages: 5, octets: 6 },
  deleted: { messages: 7, octets: 8 },
  eventLoopDelayP99Ms: 9,
  memory: { residentOctets: 10, heapOctets: 11 },
};

describe('the statuses of several processes together', () => {
  it('are their sums, and the worst of their delays', () => {
    const { sessions, eventLoopDelayP99Ms, memory } = totalOf([one, { ...one, eventLoopDelayP99Ms: 2 }, one]);
    assert.deepEqual(sessions, { authorization: 3, transaction: 6 });
    assert.equal(eventLoopDelayP99Ms, 9);
    assert.deepEqual(memory, { residentOctets: 30, heapOctets: 33 });
  });

  it('keep what a process has done that is no more, and not what it had', () => {
    const total = plus(pastOf(one), nothing);
    assert.deepEqual(total, {
      ...nothing,
      logins: one.logins,
      retrieved: one.retrieved,
      deleted: one.deleted,
    });
  });
});
