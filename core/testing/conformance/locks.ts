import assert from 'node:assert/strict';

import { letterNumber } from './letters.ts';
import type { Check } from './question.ts';
import { isInUse, uidsOf } from './trial.ts';

/** One session at a time, and a snapshot for it (RFC 1939 section 4). */
export function asksAboutLocks(check: Check): void {
  check('A9: a second session is told IN-USE while the first lasts, and let in after it', async (trial) => {
    await trial.deliver([letterNumber(1)]);
    const first = await trial.open();
    await assert.rejects(trial.open(), isInUse);
    await trial.assertHolds(first, [letterNumber(1)]);
    await first.close();
    await trial.assertHolds(await trial.open(), [letterNumber(1)]);
  });

  check('A9: of two sessions that open at once exactly one gets the maildrop', async (trial) => {
    await trial.deliver([letterNumber(1)]);
    const opened = await Promise.allSettled([trial.open(), trial.open()]);
    const refused = opened.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 1);
    assert.ok(isInUse(refused[0]?.reason));
  });

  check('A9: an empty maildrop is locked like any other', async (trial) => {
    await trial.open();
    await assert.rejects(trial.open(), isInUse);
  });

  check('M13: mail that arrives during a session is not in it, and not lost by it', async (trial) => {
    await trial.deliver([letterNumber(1), letterNumber(2)]);
    const maildrop = await trial.open();
    const [, kept = ''] = uidsOf(maildrop);
    await trial.deliver([letterNumber(3)]);
    assert.equal(maildrop.count, 2);
    await trial.assertHolds(maildrop, [letterNumber(1), letterNumber(2)]);
    await maildrop.commit(new Set([0]));
    const next = await trial.openAnew();
    await trial.assertHolds(next, [letterNumber(2), letterNumber(3)]);
    assert.equal(uidsOf(next)[0], kept);
  });

  check('M13: mail that arrives in an empty maildrop during a session is there after it', async (trial) => {
    const maildrop = await trial.open();
    await trial.deliver([letterNumber(1)]);
    assert.equal(maildrop.count, 0);
    await trial.assertHolds(await trial.openAnew(), [letterNumber(1)]);
  });

  check('M13: mail that arrives while everything is deleted stays', async (trial) => {
    await trial.deliver([letterNumber(1), letterNumber(2)]);
    const maildrop = await trial.open();
    await trial.deliver([letterNumber(3)]);
    await maildrop.commit(new Set([0, 1]));
    await trial.assertHolds(await trial.openAnew(), [letterNumber(3)]);
  });
}
