import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { AccountFault, accountOfFronts, actingAs } from './account.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can look accounts up so';

describe('the account that strangers are talked to as', { skip }, () => {
  test('is the one that the system has of that name', () => {
    assert.deepEqual(accountOfFronts('nobody'), { uid: 65_534, gid: 65_534 });
    assert.equal(process.geteuid?.(), 0);
  });

  for (const [name, why] of [
    ['root', /is root, or in its group/],
    ['mail', /opens? every mailbox|may open every mailbox/],
    ['no-such-account', /this system has no account no-such-account: useradd --system/],
    ['0', /this system has no account 0/],
  ] as const) {
    test(`is not ${name}`, () => {
      assert.throws(
        () => accountOfFronts(name),
        (error) => error instanceof AccountFault && why.test(error.message),
      );
      assert.deepEqual([process.geteuid?.(), process.getegid?.()], [0, 0]);
    });
  }

  test('cannot look where root can while something is tried as it, and root is root again afterwards', () => {
    const groups = process.getgroups?.();
    const account = accountOfFronts('nobody');
    assert.throws(() => actingAs(account, () => readFileSync('/etc/shadow')), /EACCES/);
    assert.deepEqual([process.geteuid?.(), process.getegid?.(), process.getgroups?.()], [0, 0, groups]);
    assert.ok(readFileSync('/etc/shadow').length > 0);
  });
});
