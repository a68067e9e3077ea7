import assert from 'node:assert/strict';
import { readdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { canAppend, type Maildrop } from 'popperd';

import { realFiles } from './commit/index.ts';
import { identityOf, MboxUnderTest } from './testing/mbox-under-test.ts';
import { canLockByFcntl } from './testing/other-programs.ts';
import { letter, letters, listingOf, session } from './testing/sessions.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;
beforeEach(async () => {
  files = new WatchedFiles(realFiles);
  store = await MboxUnderTest.make({ temporaryMaildrop: true }, files);
});
afterEach(() => store.dispose());

const stateFolder = (): Promise<string> => store.state.folderOf(identityOf('mrose'));
const copies = async (): Promise<readonly string[]> =>
  (await readdir(await stateFolder())).filter((name) => name.endsWith('.copy'));
const text = async (maildrop: Maildrop): Promise<readonly string[]> => (await listingOf(maildrop)).texts;

describe('a session that is served from a copy', () => {
  it('has all that was listed, whatever other programs do to the mailbox, which is free', async () => {
    await store.deliver('mrose', letters(1, 2, 3));
    const maildrop = await store.open();
    assert.ok(await canLockByFcntl(store.pathOf()));
    await store.removeBehind('mrose', 1);
    assert.deepEqual(await text(maildrop), [letter(1), letter(2), letter(3)]);
    await unlink(store.pathOf());
    assert.deepEqual(await text(maildrop), [letter(1), letter(2), letter(3)]);
    await maildrop.close();
  });

  it('removes from the mailbox itself, and mail that came meanwhile stays', async () => {
    await store.deliver('mrose', letters(1, 2, 3));
    await session(store, async (maildrop) => {
      await store.deliver('mrose', letters(4));
      await maildrop.commit(new Set([0, 2]));
    });
    assert.deepEqual((await session(store)).texts, [letter(2), letter(4)]);
  });

  it('removes nothing else: what another program changed stays', async () => {
    await store.deliver('mrose', letters(1, 2));
    await session(store, async (maildrop) => {
      await store.write((await store.content()).replace('message 1.', 'another.'));
      await assert.rejects(maildrop.commit(new Set([0, 1])), { message: '1 of 2 messages not removed' });
    });
    assert.match(await store.content(), /This is another\./);
  });

  it('has what a plugin adds', async () => {
    await store.deliver('mrose', letters(1));
    const maildrop = await store.open();
    assert.ok(canAppend(maildrop));
    const more = await maildrop.append([{ key: '1', octets: Buffer.from(letter(2)) }]);
    assert.deepEqual(await text(more), [letter(1), `X-Popper-Key: 1\n${letter(2)}`]);
    await more.close();
  });

  it('has what was listed though a program that knows no such lock rewrites the mailbox while it is copied', async () => {
    await store.deliver('mrose', letters(1, 2));
    let changes = 0;
    files.before = async ({ what, path }) => {
      if (what !== 'unlink' || !path.endsWith('.copy') || changes > 0) return;
      changes += 1;
      await store.write((await store.content()).replace('message 1.', 'another 1.'));
    };
    const { texts, uids } = await session(store);
    assert.deepEqual(texts, [letter(1, 'This is another 1.\n'), letter(2)]);
    assert.deepEqual((await session(store)).uids, uids);
  });

  it('is served from the mailbox where that never rests', async () => {
    await store.deliver('mrose', letters(1));
    files.before = async ({ what, path }) => {
      if (what === 'unlink' && path.endsWith('.copy')) await store.deliver('mrose', letters(2));
    };
    assert.equal((await session(store)).texts[0], letter(1));
    assert.match(store.logged[0]?.message ?? '', /no copy of the mailbox could be made/);
    assert.deepEqual(await copies(), []);
  });

  it('leaves no copy behind, and takes away one that a dead process left, or what was put in its place', async () => {
    await store.deliver('mrose', letters(1));
    let copyPath = '';
    files.before = ({ what, path }) => {
      if (what === 'open' && path.endsWith('.copy')) copyPath = path;
    };
    await session(store);
    assert.deepEqual(await copies(), []);
    const victim = join(store.folder, 'victim');
    await writeFile(victim, 'precious');
    await symlink(victim, copyPath);
    assert.deepEqual((await session(store)).texts, [letter(1)]);
    await writeFile(copyPath, 'old');
    assert.deepEqual((await session(store)).texts, [letter(1)]);
    assert.deepEqual(await copies(), []);
    assert.equal(await store.content('victim'), 'precious');
  });

  it('is served from the mailbox where there is no room for a copy', async () => {
    await store.deliver('mrose', letters(1));
    files.before = ({ what, path }) => {
      if (what === 'open' && path.endsWith('.copy')) throw systemError('ENOSPC');
    };
    assert.deepEqual((await session(store)).texts, [letter(1)]);
    assert.match(store.logged[0]?.message ?? '', /no copy of the mailbox could be made/);
    assert.deepEqual(await copies(), []);
  });

  it('needs none where there is no mail', async () => {
    assert.deepEqual((await session(store)).texts, []);
    assert.equal(store.logged.length, 0);
  });
});

describe('by default', () => {
  it('no copy is made', async () => {
    await store.dispose();
    store = await MboxUnderTest.make({}, files);
    await store.deliver('mrose', letters(1));
    await session(store);
    assert.ok(files.calls.every(({ path }) => !path.endsWith('.copy')));
  });
});
