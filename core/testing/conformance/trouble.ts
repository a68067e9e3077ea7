import assert from 'node:assert/strict';

import { countOctets } from '../../maildrop/scan.ts';
import { Failure } from '../../protocol/failure.ts';
import { letterNumber, letterOf } from './letters.ts';
import type { Check } from './question.ts';
import { signal } from './trial.ts';

/** Clients that leave, and programs that meddle. */
export function asksAboutTrouble(check: Check): void {
  check('a read whose signal has fired ends, and the maildrop can be closed', async (trial) => {
    await trial.deliver([letterOf('a line of 1 MB')]);
    const maildrop = await trial.open();
    const gone = new AbortController();
    let readOctets = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of maildrop.read(0, gone.signal)) {
        readOctets += chunk.length;
        gone.abort(new Error('the client is gone'));
      }
    };
    // It may throw or end; both leave the session free to go on to its end.
    await read().catch((error: unknown) => assert.ok(error instanceof Error));
    assert.ok(readOctets > 0);
    await maildrop.close();
    await trial.assertStored([letterOf('a line of 1 MB')]);
  });

  check(
    'M14: a message that somebody took away cannot be read, and a commit of another is right',
    async (trial) => {
      await trial.deliver([letterNumber(1), letterNumber(2), letterNumber(3)]);
      const maildrop = await trial.open();
      await trial.removeBehind(1);
      await assert.rejects(countOctets(maildrop.read(1, signal())));
      await maildrop.commit(new Set([2]));
      await trial.assertHolds(await trial.openAnew(), [letterNumber(1)]);
    },
  );

  check('M14: a commit of a message that is gone already removes no other', async (trial) => {
    await trial.deliver([letterNumber(1), letterNumber(2), letterNumber(3)]);
    const maildrop = await trial.open();
    await trial.removeBehind(0);
    // Whether it calls that a failure is the store's affair.
    await maildrop.commit(new Set([0])).catch((error: unknown) => assert.ok(error instanceof Failure));
    await trial.assertHolds(await trial.openAnew(), [letterNumber(2), letterNumber(3)]);
  });
}
