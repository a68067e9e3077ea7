import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { realFiles } from './commit/index.ts';
import { noteEnding } from './lock-note.ts';
import { identityOf, MboxUnderTest } from './testing/mbox-under-test.ts';
import { letters, session } from './testing/sessions.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let files = new WatchedFiles(realFiles);
let store: MboxUnderTest;
beforeEach(async () => {
  files = new WatchedFiles(realFiles);
  store = await MboxUnderTest.make({}, files);
  await store.deliver('mrose', letters(1, 2, 3));
});
afterEach(() => store.dispose());

async function dieInCommit(): Promise<void> {
  files.before = ({ what, path }) => {
    if (what === 'truncate' && path === store.pathOf()) throw systemError('EIO');
  };
  const maildrop = await store.open();
  await assert.rejects(maildrop.commit(new Set([0])), { code: 'SYS/TEMP' });
  files.before = () => {};
  await store.die();
}

/** Leaves what a process leaves that dies while it has the mailbox locked. */
async function dieWithLock(): Promise<void> {
  await session(store);
  const path = store.pathOf();
  const journals = join(store.state.folderOfUid(identityOf('').uid), 'journals');
  const digest = createHash('sha256').update(path).digest('hex');
  await writeFile(join(journals, `dead${noteEnding}`), `${digest} ${path}\0`);
  await writeFile(`${path}.lock`, `1 ${hostname()} ${'0'.repeat(32)}\n`);
}

describe('a daemon that starts after it was killed', () => {
  it('is held up for a second only by a mailbox that a stranger has locked', async () => {
    await dieInCommit();
    await writeFile(`${store.pathOf()}.lock`, 'a stranger');
    await store.recover();
    const record = store.logged.find(({ message }) => /cannot be finished yet/.test(message));
    const error = record?.fields['error'];
    assert.ok(error instanceof Error && error.cause instanceof Error);
    assert.match(error.cause.message, /locked for 1000 ms.*mrose\.lock/);
  });

  it('takes away the dotlocks that it left, although the journals cannot be listed', async () => {
    await dieWithLock();
    let isFirst = true;
    files.before = ({ what }) => {
      if (what !== 'readFolder' || !isFirst) return;
      isFirst = false;
      throw systemError('EIO');
    };
    await assert.rejects(store.recover(), { code: 'EIO' });
    assert.deepEqual(await readdir(store.folder), ['mrose']);
  });
});
