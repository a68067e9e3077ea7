import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { Failure } from 'popperd';

import { hasFlock } from './temporary-drop.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { letter, session } from './testing/sessions.ts';

let store: MboxUnderTest;
async function make(takeOverTemporaryDrop: boolean): Promise<void> {
  await store?.dispose();
  store = await MboxUnderTest.make({ takeOverTemporaryDrop });
}
beforeEach(() => make(true));
afterEach(() => store.dispose());

const content = `${MboxUnderTest.envelopeOf(0)}${letter(1)}\n`;

describe('a user whose name is that of a temporary drop', () => {
  const cause = /user name "\.mrose\.pop" .* a classic popper leaves mail of .*\/mrose: .*another user's/;

  it('is not served the mail that another user left there, and the log can say why', async () => {
    await store.write(content, '.mrose.pop');
    await assert.rejects(store.open('.mrose.pop'), (error) => {
      assert.ok(error instanceof Failure && error.cause instanceof Error);
      assert.equal(error.code, 'SYS/PERM');
      assert.match(error.cause.message, cause);
      return true;
    });
    assert.equal(await store.content('.mrose.pop'), content);
    assert.deepEqual((await session(store)).texts, [letter(1)]);
  });

  it('is refused as well where drops are not taken over, or not yet', async () => {
    await make(false);
    await assert.rejects(store.open('.mrose.pop'), Failure);
    assert.equal(store.state.heldClaims, 0);
  });
});

describe('a lock by flock(2)', () => {
  const line = '3: FLOCK  ADVISORY  WRITE 4711 fe:00:131074 0 EOF';
  it('is known by the number of the inode, among others', () => {
    const locks = `1: POSIX  ADVISORY  WRITE 1 fe:00:5 0 EOF\n2: OFDLCK ADVISORY  READ -1 fe:00:7 0 0\n${line}\n`;
    assert.ok(hasFlock(locks, 131_074n));
    for (const inode of [5n, 7n, 31_074n, 4711n]) assert.ok(!hasFlock(locks, inode));
    assert.ok(!hasFlock('', 1n));
  });
});
