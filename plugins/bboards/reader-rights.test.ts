import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isForAll, mayRead } from './reader-rights.ts';

const file = (mode: number) => ({ uid: 8, gid: 12, mode: 0o100000 | mode });
const daemonUid = 0;

for (const [who, user, mode, may] of [
  ['a stranger', { uid: 1000, gid: 1000 }, 0o644, true],
  ['a stranger', { uid: 1000, gid: 1000 }, 0o640, false],
  ['one of its group', { uid: 1000, gid: 12 }, 0o640, true],
  ['one of its group', { uid: 1000, gid: 12 }, 0o604, false],
  ['its owner', { uid: 8, gid: 1000 }, 0o400, true],
  ['its owner', { uid: 8, gid: 12 }, 0o044, false],
] as const) {
  test(`${who} ${may ? 'reads' : 'does not read'} a board of mode ${mode.toString(8)}, though the daemon could`, () => {
    assert.equal(mayRead(file(mode), user, daemonUid), may);
  });
}

test('in a process of his own a user reads what the kernel lets him, by any of his groups', () => {
  assert.equal(mayRead(file(0o640), { uid: 1000, gid: 1000 }, 1000), true);
});

test('only boards that everybody may read are listed', () => {
  assert.deepEqual([isForAll(file(0o644)), isForAll(file(0o660))], [true, false]);
});
