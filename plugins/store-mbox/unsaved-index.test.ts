import assert from 'node:assert/strict';
import { appendFile, readdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { Role } from 'popperd';

import type { Options } from './options.ts';
import { identityOf, MboxUnderTest } from './testing/mbox-under-test.ts';
import { letter, letters, session } from './testing/sessions.ts';

let store: MboxUnderTest;

async function make(role: Role, settings: Partial<Options> = {}): Promise<void> {
  store = await MboxUnderTest.make(settings);
  await store.restart(role);
}

const indexNames = async (): Promise<string[]> =>
  (await readdir(await store.state.folderOf(identityOf('mrose')))).filter((name) => name.endsWith('index'));

for (const role of ['all', 'worker'] as const)
  describe(`the index of a small mailbox, in a process that serves (${role})`, () => {
    beforeEach(() => make(role));
    afterEach(() => store.dispose());

    it('is not written, and the next process gives the same unique-ids', async () => {
      await store.deliver('mrose', letters(1, 2, 3));
      const first = await session(store);
      await appendFile(store.pathOf(), `${MboxUnderTest.envelopeOf(3)}${letter(4)}\n`);
      const { uids } = await session(store);
      assert.deepEqual(uids.slice(0, 3), first.uids);
      await deleteIn(0);
      assert.deepEqual(await indexNames(), []);
      await store.restart(role);
      assert.deepEqual((await session(store)).uids, uids.slice(1));
    });

    it('is written where messages are equal, so that each keeps its unique-id when another is gone', async () => {
      await store.write(`${MboxUnderTest.envelopeOf(0)}${letter(1)}\n`.repeat(3));
      const { uids } = await session(store);
      assert.equal((await indexNames()).length, 1);
      await deleteIn(1);
      await store.restart(role);
      assert.deepEqual((await session(store)).uids, [uids[0], uids[2]]);
      assert.equal((await indexNames()).length, 1);
    });

    it('is written where the mailbox is large, for that takes long to be read again', async () => {
      await store.deliver('mrose', [Buffer.alloc(1100 * 1024, `${'x'.repeat(70)}\n`)]);
      await session(store);
      assert.equal((await indexNames()).length, 1);
    });
  });

describe('the index of a small mailbox is written', () => {
  afterEach(() => store.dispose());

  it('where memory would not keep it', async () => {
    await make('all', { cacheOctets: 2048 });
    await store.deliver('mrose', letters(1, 2));
    await session(store);
    assert.equal((await indexNames()).length, 1);
  });

  it('and one that is missing is made again', async () => {
    await make('front');
    await store.deliver('mrose', letters(1));
    const { uids } = await session(store);
    await rm(store.state.folderOfUid(identityOf('mrose').uid), { recursive: true });
    await store.restart('front');
    assert.deepEqual((await session(store)).uids, uids);
  });
});

async function deleteIn(index: number): Promise<void> {
  const maildrop = await store.open();
  await maildrop.load?.();
  await maildrop.commit(new Set([index]));
  await maildrop.close();
}
