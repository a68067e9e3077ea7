import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { realFiles } from './commit/index.ts';
import { journalFolderOf, reserveFolderOf } from './place.ts';
import { identityOf, MboxUnderTest } from './testing/mbox-under-test.ts';
import { letters, session } from './testing/sessions.ts';
import { WatchedFiles } from './testing/watched-files.ts';

describe('the folder of the journals is durable before there is a journal in it', () => {
  let files = new WatchedFiles(realFiles);
  let store: MboxUnderTest;
  let folder = '';
  beforeEach(async () => {
    files = new WatchedFiles(realFiles);
    store = await MboxUnderTest.make({}, files);
    folder = await store.state.folderOf(identityOf('mrose'));
    await store.deliver('mrose', letters(1, 2));
  });
  afterEach(() => store.dispose());

  /** What a process does to folders in two sessions. */
  async function callsOfProcess(): Promise<readonly string[]> {
    await store.restart();
    files.forget();
    for (const _ of [1, 2]) await session(store);
    const calls = files.calls.filter(({ what }) => what === 'createFolder' || what === 'syncFolder');
    return calls.map(({ what, path }) => `${what} ${path}`);
  }

  it('where it is made', async () => {
    assert.deepEqual(await callsOfProcess(), [
      `createFolder ${journalFolderOf(folder)}`,
      `syncFolder ${folder}`,
    ]);
  });

  it('where a process made it and died, for each one after it', async () => {
    await mkdir(journalFolderOf(folder));
    for (const _ of [1, 2]) assert.deepEqual(await callsOfProcess(), [`syncFolder ${folder}`]);
  });

  it('where there is a reserve, which is made afterwards, and then is not waited for again', async () => {
    await mkdir(journalFolderOf(folder));
    await mkdir(reserveFolderOf(folder));
    assert.deepEqual(await callsOfProcess(), []);
  });
});
