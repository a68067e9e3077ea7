import assert from 'node:assert/strict';

import { letterNumber, letters } from './letters.ts';
import type { Check } from './question.ts';
import { uidsOf } from './trial.ts';

/** UIDL (RFC 1939 section 7). */
export function asksAboutUniqueIds(check: Check): void {
  check('M11: unique-ids are 1 to 70 printable characters', async (trial) => {
    await trial.deliver(letters.map((letter) => letter.octets));
    for (const uid of uidsOf(await trial.open())) assert.match(uid, /^[\x21-\x7e]{1,70}$/);
  });

  check('M12: messages that are the same octet for octet have unique-ids of their own', async (trial) => {
    await trial.deliver([letterNumber(1), letterNumber(1), letterNumber(2), letterNumber(1)]);
    assert.equal(new Set(uidsOf(await trial.open())).size, 4);
  });

  check(
    'M11: unique-ids stay after a session without QUIT, after QUIT, and after a restart',
    async (trial) => {
      await trial.deliver([
        letterNumber(1),
        letterNumber(2),
        letterNumber(2),
        ...letters.map((letter) => letter.octets),
      ]);
      const first = uidsOf(await trial.open());
      assert.deepEqual(uidsOf(await trial.openAnew()), first);
      await trial.restart();
      assert.deepEqual(uidsOf(await trial.openAnew()), first);
    },
  );

  for (const deleted of [[0], [1], [2], [3], [0, 2], [1, 2]]) {
    check(
      `M11: deleting ${deleted.map(String).join(' and ')} of four, two of them the same, leaves the other unique-ids`,
      async (trial) => {
        await trial.deliver([letterNumber(1), letterNumber(2), letterNumber(2), letterNumber(3)]);
        const maildrop = await trial.open();
        const left = uidsOf(maildrop).filter((_, index) => !deleted.includes(index));
        await maildrop.commit(new Set(deleted));
        assert.deepEqual(uidsOf(await trial.openAnew()), left);
        await trial.restart();
        assert.deepEqual(uidsOf(await trial.openAnew()), left);
      },
    );
  }

  check('M11: new mail changes no unique-id, and gets its own', async (trial) => {
    await trial.deliver([letterNumber(1), letterNumber(2)]);
    const first = uidsOf(await trial.open());
    await trial.deliver([letterNumber(1), letterNumber(3)]);
    const second = uidsOf(await trial.openAnew());
    assert.deepEqual(second.slice(0, 2), first);
    assert.equal(new Set(second).size, 4);
  });
}
