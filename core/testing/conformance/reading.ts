import assert from 'node:assert/strict';

import { letterNumber, letterOf, letters } from './letters.ts';
import type { Check } from './question.ts';
import { signal } from './trial.ts';

/** What RETR, TOP, LIST and STAT rest on. */
export function asksAboutReading(check: Check): void {
  check('a user without mail has an empty maildrop', async (trial) => {
    const maildrop = await trial.open();
    assert.deepEqual([maildrop.count, maildrop.totalOctets], [0, 0]);
  });

  for (const { what, octets } of letters) {
    check(
      `a message with ${what} is read as it is stored, and its octets are those of RETR`,
      async (trial) => {
        await trial.deliver([letterNumber(1), octets]);
        const maildrop = await trial.open();
        assert.equal(maildrop.count, 2);
        await trial.assertHolds(maildrop, [letterNumber(1), octets]);
      },
    );
  }

  check('a maildrop of all kinds of messages gives each its own, in any order', async (trial) => {
    const delivered = letters.map((letter) => letter.octets);
    await trial.deliver(delivered);
    const maildrop = await trial.open();
    await trial.assertHolds(maildrop, delivered);
    for (const index of [delivered.length - 1, 0, 3, 3, 1])
      await trial.assertReads(maildrop, index, delivered[index]);
  });

  check('the same message is read twice in one session', async (trial) => {
    await trial.deliver([letterNumber(1), letterNumber(2)]);
    const maildrop = await trial.open();
    for (const index of [1, 1, 0]) await trial.assertReads(maildrop, index, letterNumber(index + 1));
  });

  check('a reader that leaves in the middle of a message does no harm to the next', async (trial) => {
    await trial.deliver([letterOf('a line of 1 MB'), letterNumber(2)]);
    const maildrop = await trial.open();
    for await (const chunk of maildrop.read(0, signal())) {
      assert.ok(chunk.length > 0);
      break;
    }
    await trial.assertReads(maildrop, 1, letterNumber(2));
    await trial.assertReads(maildrop, 0, letterOf('a line of 1 MB'));
  });

  check('users have maildrops of their own', async (trial) => {
    await trial.deliver([letterNumber(1)]);
    await trial.deliver([letterNumber(2), letterNumber(3)], 'other');
    const [mine, others] = [await trial.open(), await trial.open('other')];
    await trial.assertHolds(mine, [letterNumber(1)]);
    await trial.assertHolds(others, [letterNumber(2), letterNumber(3)]);
    await mine.commit(new Set([0]));
    await trial.assertStored([letterNumber(2), letterNumber(3)], 'other');
  });

  check('load may be asked for twice', async (trial) => {
    await trial.deliver([letterNumber(1)]);
    const maildrop = await trial.open();
    await maildrop.load?.();
    await trial.assertHolds(maildrop, [letterNumber(1)]);
  });
}
