import assert from 'node:assert/strict';

import { letterNumber, letters } from './letters.ts';
import type { Check } from './question.ts';
import { uidsOf } from './trial.ts';

const patterns: readonly (readonly [what: string, deleted: readonly number[]])[] = [
  ['the first', [0]],
  ['the last', [letters.length - 1]],
  ['one in the middle', [Math.floor(letters.length / 2)]],
  [
    'every other one',
    letters
      .keys()
      .filter((index) => index % 2 === 1)
      .toArray(),
  ],
  ['all but the first', letters.keys().drop(1).toArray()],
  ['all but the last', [...letters.keys()].slice(0, -1)],
  ['all', [...letters.keys()]],
  ['the last and then the first, in that order', [letters.length - 1, 0]],
];

/** UPDATE (RFC 1939 section 6). */
export function asksAboutCommit(check: Check): void {
  for (const [what, deleted] of patterns) {
    check(`U1: a commit of ${what} removes just these, durably`, async (trial) => {
      const delivered = letters.map((letter) => letter.octets);
      const left = delivered.filter((_, index) => !deleted.includes(index));
      await trial.deliver(delivered);
      const maildrop = await trial.open();
      const uids = uidsOf(maildrop).filter((_, index) => !deleted.includes(index));
      await maildrop.commit(new Set(deleted));
      await trial.assertStored(left);
      for (const next of [await trial.openAnew(), await trial.restarted()]) {
        await trial.assertHolds(next, left);
        assert.deepEqual(uidsOf(next), uids);
      }
    });
  }

  check('mail that may be removed is not said to stay, however often it is asked for', async (trial) => {
    await trial.deliver(letters.map((letter) => letter.octets));
    const maildrop = await trial.open();
    for (let time = 0; time < 2; time += 1) await maildrop.mayDelete?.();
    await trial.assertStored(letters.map((letter) => letter.octets));
    await maildrop.commit(new Set(letters.keys()));
    await trial.assertStored([]);
  });

  check('U3: a session that is closed without a commit removes nothing', async (trial) => {
    const delivered = letters.map((letter) => letter.octets);
    await trial.deliver(delivered);
    const maildrop = await trial.open();
    await trial.assertHolds(maildrop, delivered);
    await maildrop.close();
    await trial.assertStored(delivered);
    await trial.assertHolds(await trial.open(), delivered);
  });

  check('a maildrop can be emptied, filled and emptied again', async (trial) => {
    for (const round of [1, 2, 3]) {
      await trial.deliver([letterNumber(round), letterNumber(round + 1)]);
      const maildrop = await trial.openAnew();
      await trial.assertHolds(maildrop, [letterNumber(round), letterNumber(round + 1)]);
      await maildrop.commit(new Set([0, 1]));
      await trial.assertStored([]);
    }
  });
}
