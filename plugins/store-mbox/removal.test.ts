import assert from 'node:assert/strict';
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import * as fc from 'fast-check';
import { Failure, type Maildrop } from 'popperd';

import { realFiles } from './commit/index.ts';
import type { Options } from './options.ts';
import { identityOf, MboxUnderTest } from './testing/mbox-under-test.ts';
import { canLockByFcntl, lockByFcntl } from './testing/other-programs.ts';
import { letter, letters, session } from './testing/sessions.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;

async function make(settings: Partial<Options> = {}): Promise<void> {
  await store?.dispose();
  files = new WatchedFiles(realFiles);
  store = await MboxUnderTest.make(settings, files);
}
beforeEach(() => make());
afterEach(() => store.dispose());

const envelope = MboxUnderTest.envelopeOf(0);
const mailbox = (...texts: readonly string[]): string => texts.map((text) => `${envelope}${text}\n`).join('');
const deleting =
  (...indexes: readonly number[]) =>
  (maildrop: Maildrop): Promise<void> =>
    maildrop.commit(new Set(indexes));

describe('only what the client was shown is removed', () => {
  it('a message that was edited in place stays, though it has its size and time', async () => {
    await store.write(mailbox(letter(1), letter(2), letter(3)));
    const edited = mailbox(letter(1), letter(2).replace('This', 'That'), letter(3));
    const before = await realFiles.lstat(store.pathOf());
    const work = async (maildrop: Maildrop): Promise<void> => {
      await store.write(edited);
      // As if the clock had not moved on: the edit cannot be seen by anything but the digest.
      files.lieAboutTimes(before);
      await assert.rejects(deleting(0, 1)(maildrop), { message: '1 of 2 messages not removed' });
    };
    await session(store, work);
    files.lieAboutTimes(undefined);
    assert.equal(await store.content(), edited.slice(mailbox(letter(1)).length));
  });

  it('a message stays that goes on where the next one had begun', async () => {
    await store.write(mailbox(letter(1), letter(2), letter(3)));
    const [before, content] = [await realFiles.lstat(store.pathOf()), await store.content()];
    const edited = content.replace(/(?<=message 1\.\n\n)F/, 'f');
    await session(store, async (maildrop) => {
      await store.write(edited);
      files.lieAboutTimes(before);
      await assert.rejects(deleting(0)(maildrop), { message: '1 of 1 messages not removed' });
    });
    files.lieAboutTimes(undefined);
    assert.equal(await store.content(), edited);
  });

  it('B12: a message whose Status: was written goes with it, and the fields of the others stay as they are', async () => {
    await store.write(mailbox(letter(1), letter(2), letter(3)));
    await session(store, async (maildrop) => {
      await store.write((await store.content()).replaceAll('Subject', 'Status: RO\nSubject'));
      await maildrop.commit(new Set([1]));
    });
    const [one, three] = [letter(1), letter(3)].map((text) => text.replace('Subject', 'Status: RO\nSubject'));
    assert.equal(await store.content(), mailbox(one ?? '', three ?? ''));
  });

  it('what another program removed is not removed twice', async () => {
    await store.write(mailbox(letter(1), letter(2), letter(3)));
    await session(store, async (maildrop) => {
      await store.removeBehind('mrose', 1);
      const removed = { messages: 1, octets: maildrop.octetsOf(2) };
      const commit = maildrop.commit(new Set([1, 2]));
      await assert.rejects(commit, { code: 'SYS/TEMP', message: '1 of 2 messages not removed', removed });
    });
    assert.equal(await store.content(), mailbox(letter(1)));
  });

  it('U6: mail that arrives during the session, or while QUIT waits for the lock, stays', async () => {
    await store.write(mailbox(letter(1), letter(2)));
    await session(store, async (maildrop) => {
      await appendFile(store.pathOf(), mailbox(letter(3)));
      const python = await lockByFcntl(store.pathOf());
      const commit = maildrop.commit(new Set([0, 1]));
      await appendFile(store.pathOf(), mailbox(letter(4)));
      await python.release();
      await commit;
    });
    assert.deepEqual((await session(store)).texts, [letter(3), letter(4)]);
  });

  it('B12: any deletions in any mailbox leave the rest as it was, octet for octet', async () => {
    const texts = ['', '\n', 'H: 1\n', letter(1), letter(2), letter(2), 'x\r\n\r\ny\r\n', '>From x\n\n\n'];
    const drawn = fc.array(fc.record({ text: fc.constantFrom(...texts), isDeleted: fc.boolean() }), {
      minLength: 1,
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(drawn, fc.boolean(), async (messages, isAnew) => {
        await make();
        await store.write(mailbox(...messages.map(({ text }) => text)));
        const before = await session(store);
        if (isAnew) await store.restart();
        const deleted = [...messages.keys()].filter((index) => messages[index]?.isDeleted === true);
        await session(store, deleting(...deleted));
        const kept = messages.filter(({ isDeleted }) => !isDeleted);
        assert.equal(await store.content(), mailbox(...kept.map(({ text }) => text)));
        const isKept = (_: unknown, index: number): boolean => messages[index]?.isDeleted === false;
        const after = await session(store);
        assert.deepEqual(after.uids, before.uids.filter(isKept));
        assert.deepEqual(after.octets, before.octets.filter(isKept));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a deletion merges no messages', () => {
  it('where the message before it has no empty line at its end', async () => {
    const odd = 'From mrose 8 Mar 1992 10:00:00 +0000\n';
    await store.write(`${envelope}${letter(1)}${envelope}${letter(2)}\n${odd}${letter(3)}\n`);
    assert.equal((await session(store)).uids.length, 3);
    const { uids } = await session(store, deleting(1));
    const after = await session(store);
    assert.deepEqual(after.uids, [uids[0], uids[2]]);
    assert.deepEqual(after.texts, [letter(1), letter(3)]);
    await store.restart();
    await store.state.remove();
    assert.deepEqual((await session(store)).texts, [letter(1), letter(3)]);
  });

  it('where there are octets before the first message', async () => {
    const odd = 'From mrose 8 Mar 1992 10:00:00 +0000\n';
    await store.write(`half a message\n${envelope}${letter(2)}\n${odd}${letter(3)}\n`);
    await session(store, deleting(0));
    assert.equal(await store.content(), `half a message\n\n${odd}${letter(3)}\n`);
    assert.deepEqual((await session(store)).texts, [letter(3)]);
  });
});

describe('the index after a deletion', () => {
  it('is known without another look at the mailbox', async () => {
    await store.deliver('mrose', letters(1, 2, 3, 4));
    await session(store, deleting(0, 2));
    await store.restart();
    files.forget();
    const maildrop = await store.open();
    await maildrop.load?.();
    assert.equal(maildrop.count, 2);
    assert.equal(files.readOctets(store.pathOf()), 0);
    await maildrop.close();
  });

  it('is nothing at all when everything is deleted', async () => {
    await store.deliver('mrose', letters(1, 2));
    await session(store);
    await session(store, deleting(0, 1));
    assert.equal(await store.content(), '');
    assert.deepEqual(
      (await readdir(await store.state.folderOf(identityOf('mrose')))).filter((name) =>
        name.includes('index'),
      ),
      [],
    );
  });
});

describe('a deletion that cannot be done says so, and everything is there', () => {
  const content = mailbox(letter(1), letter(2), letter(3));
  beforeEach(() => store.write(content));

  async function failure(work: (maildrop: Maildrop) => Promise<void> = deleting(0)): Promise<Failure> {
    let failed: unknown;
    await session(store, async (maildrop) => {
      failed = await work(maildrop).catch((error: unknown) => error);
    });
    files.before = () => {};
    assert.ok(failed instanceof Failure, String(failed));
    assert.equal(await store.content(), content);
    assert.equal((await session(store)).texts.length, 3);
    return failed;
  }

  it('while another program has the lock for too long', async () => {
    await make({ lockTimeoutMs: 50 });
    await store.write(content);
    const { code, message } = await failure(async (maildrop) => {
      const python = await lockByFcntl(store.pathOf());
      try {
        await maildrop.commit(new Set([0]));
      } finally {
        await python.release();
      }
    });
    assert.deepEqual([code, message], ['SYS/TEMP', 'another program is using the maildrop, try again']);
  });

  it('in a file system that may only be read', async () => {
    files.before = ({ what, path }) => {
      if (what === 'link' || (what === 'open' && path.includes('popper-lock'))) throw systemError('EROFS');
      if (what === 'open' && path === store.pathOf() && files.isCommitting) throw systemError('EROFS');
    };
    const { code, message } = await failure(async (maildrop) => {
      files.isCommitting = true;
      await maildrop.commit(new Set([0])).finally(() => (files.isCommitting = false));
    });
    assert.deepEqual([code, message], ['SYS/PERM', 'the maildrop may not be changed']);
  });

  it('on a disk that is full', async () => {
    files.before = ({ what, path }) => {
      if (what === 'write' && path.includes('.j')) throw systemError('ENOSPC');
    };
    const { code } = await failure();
    assert.equal(code, 'SYS/TEMP');
  });

  it('and the locks are free again', async () => {
    files.before = ({ what, path }) => {
      if (what === 'write' && path.includes('.j')) throw systemError('EIO');
    };
    await failure();
    assert.ok(await canLockByFcntl(store.pathOf()));
    assert.deepEqual(await readdir(store.folder), ['mrose']);
  });
});

describe('a deletion that is done, where the mailbox cannot be looked at afterwards', () => {
  for (const unlucky of ['stat', 'read'] as const) {
    it(`is said to be done though ${unlucky} fails, and equal messages keep their unique-ids`, async () => {
      await store.write(mailbox(letter(1), letter(2), letter(2), letter(3)));
      const before = await session(store);
      let isCut = false;
      let isDurable = false;
      let failures = 0;
      files.before = ({ what, path }) => {
        if (path !== store.pathOf()) return;
        isDurable ||= isCut && what === 'sync';
        isCut ||= what === 'truncate';
        if (!isDurable || what !== unlucky) return;
        failures += 1;
        throw systemError('EIO');
      };
      await session(store, deleting(1));
      files.before = () => {};
      assert.ok(failures > 0, 'the call that is to fail was made');
      assert.equal(await store.content(), mailbox(letter(1), letter(2), letter(3)));
      assert.match(store.logged.map((record) => record.message).join(), /looked through again/);
      for (const after of [await session(store), await session(store)]) {
        assert.deepEqual(after.uids, before.uids.toSpliced(1, 1));
      }
    });
  }
});

async function dieInCommit(): Promise<readonly string[]> {
  await store.write(mailbox(letter(1), letter(2), letter(3)));
  const maildrop = await store.open();
  await maildrop.load?.();
  const uids = [0, 1, 2].map((index) => maildrop.uidOf(index));
  files.before = ({ what, path }) => {
    if (what === 'truncate' && path === store.pathOf()) throw systemError('EIO');
  };
  await assert.rejects(maildrop.commit(new Set([0])), { code: 'SYS/TEMP' });
  files.before = () => {};
  await store.die();
  return uids;
}

describe('a process that dies in the middle of a deletion', () => {
  it('is made good at the next login', async () => {
    const uids = await dieInCommit();
    const after = await session(store);
    assert.deepEqual(after.uids, uids.slice(1));
    assert.equal(await store.content(), mailbox(letter(2), letter(3)));
  });

  it('is made good within a minute if only the disk failed, and nobody logs in', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      await store.write(mailbox(letter(1), letter(2), letter(3)));
      files.before = ({ what, path }) => {
        if (what === 'truncate' && path === store.pathOf()) throw systemError('EIO');
      };
      await session(store, async (maildrop) => {
        await assert.rejects(maildrop.commit(new Set([0])), { code: 'SYS/TEMP' });
      });
      files.before = () => {};
      const expected = mailbox(letter(2), letter(3));
      const isDone = async (): Promise<boolean> =>
        (await store.content()) === expected && store.state.heldClaims === 0;
      const endsAtMs = performance.now() + 20_000;
      while (performance.now() < endsAtMs && !(await isDone())) mock.timers.tick(60_000);
      assert.equal(await store.content(), expected);
    } finally {
      mock.timers.reset();
    }
    assert.deepEqual((await session(store)).texts, [letter(2), letter(3)]);
  });

  it('is made good when the daemon starts, before anybody logs in', async () => {
    const uids = await dieInCommit();
    await store.recover();
    assert.equal(await store.content(), mailbox(letter(2), letter(3)));
    assert.deepEqual((await session(store)).uids, uids.slice(1));
  });

  it('is left for later while another program has the mailbox locked, and the daemon starts', async () => {
    await make({ lockTimeoutMs: 50 });
    const uids = await dieInCommit();
    const python = await lockByFcntl(store.pathOf());
    await store.recover();
    assert.match(store.logged.map((record) => record.message).join(), /cannot be finished yet/);
    await assert.rejects(store.open(), { code: 'IN-USE' });
    await python.release();
    assert.deepEqual((await session(store)).uids, uids.slice(1));
  });

  it('whose mailbox was replaced since is told to the operator, and touches nothing', async () => {
    await dieInCommit();
    const kept = await realFiles.open(store.pathOf(), 'read');
    const replacement = mailbox(letter(9));
    await realFiles.unlink(store.pathOf());
    await writeFile(store.pathOf(), replacement, { mode: 0o600 });
    await kept.close();
    assert.deepEqual((await session(store)).texts, [letter(9)]);
    assert.match(store.logged.map((record) => record.message).join(), /look at both/);
  });

  it('whose mailbox is gone keeps nobody from logging in', async () => {
    await dieInCommit();
    await realFiles.unlink(store.pathOf());
    await store.recover();
    assert.deepEqual((await session(store)).texts, []);
  });
});
