import assert from 'node:assert/strict';
import { appendFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Failure, type Maildrop } from 'popperd';

import { realFiles } from './commit/index.ts';
import { noteEnding } from './lock-note.ts';
import type { Options } from './options.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { letter, textOf } from './testing/sessions.ts';
import { StaleFiles } from './testing/stale-files.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;
let maildrop: Maildrop;

const envelope = MboxUnderTest.envelopeOf(0);
const isGone = (error: unknown): boolean =>
  error instanceof Failure && error.code === 'SYS/TEMP' && error.message.startsWith('message changed');

async function open(content: string, settings: Partial<Options> = {}): Promise<void> {
  await store?.dispose();
  files = new WatchedFiles(realFiles);
  store = await MboxUnderTest.make(settings, files);
  await store.write(content);
  maildrop = await store.open();
  await maildrop.load?.();
}

/** Another session, which finds nothing new: what the first one read is not there for it. */
async function openAgain(): Promise<void> {
  await maildrop.close();
  maildrop = await store.open();
  await maildrop.load?.();
  files.forget();
}

const mailbox = (...texts: readonly string[]): string => texts.map((text) => `${envelope}${text}\n`).join('');

beforeEach(() => open(mailbox(letter(1), letter(2), letter(3))));
afterEach(async () => {
  await maildrop.close();
  await store.dispose();
});

describe('M14: a mailbox that other programs change while a session reads it', () => {
  it('a message that a Status: field was put before is still found, and so are those behind it', async () => {
    const content = (await store.content()).replace('Subject: message 1', 'Status: RO\nSubject: message 1');
    await store.write(content);
    assert.equal(await textOf(maildrop, 1), letter(2));
    assert.equal(await textOf(maildrop, 0), letter(1).replace('Subject', 'Status: RO\nSubject'));
    assert.equal(await textOf(maildrop, 2), letter(3));
  });

  it('a message that was removed is gone, and those behind it are found', async () => {
    await store.removeBehind('mrose', 1);
    await assert.rejects(textOf(maildrop, 1), isGone);
    assert.equal(await textOf(maildrop, 2), letter(3));
    assert.equal(await textOf(maildrop, 0), letter(1));
  });

  it('a message that was edited is gone', async () => {
    await store.write((await store.content()).replace('This is message 2', 'That is message 2'));
    await assert.rejects(textOf(maildrop, 1), isGone);
    assert.equal(await textOf(maildrop, 2), letter(3));
  });

  it('of equal messages the first that is left is read, and the others are gone', async () => {
    await maildrop.close();
    await open(mailbox(letter(1), letter(1), letter(1)));
    await store.removeBehind('mrose', 0);
    assert.equal(await textOf(maildrop, 0), letter(1));
    assert.equal(await textOf(maildrop, 1), letter(1));
    await assert.rejects(textOf(maildrop, 2), isGone);
  });

  it('a file that took the name is read from then on', async () => {
    assert.equal(await textOf(maildrop, 0), letter(1));
    await writeFile(`${store.pathOf()}.new`, mailbox(letter(3), letter(2)), { mode: 0o600 });
    await rename(`${store.pathOf()}.new`, store.pathOf());
    assert.equal(await textOf(maildrop, 0), letter(1), 'what was read ahead a moment ago is served');
    await writeFile(store.pathOf(), mailbox(letter(3), letter(2), letter(4)));
    await maildrop.close();
    await open(mailbox(letter(1), letter(2), letter(3)));
    await writeFile(`${store.pathOf()}.new`, mailbox(letter(3), letter(2)), { mode: 0o600 });
    await rename(`${store.pathOf()}.new`, store.pathOf());
    assert.equal(await textOf(maildrop, 1), letter(2));
    assert.equal(await textOf(maildrop, 2), letter(3));
    await assert.rejects(textOf(maildrop, 0), isGone);
  });

  it('on NFS, where a file that was replaced by another host is not to be had any more, it is opened once more', async () => {
    await store.dispose();
    const nfs = new StaleFiles(realFiles);
    store = await MboxUnderTest.make({}, nfs.files);
    await store.write(mailbox(letter(1), letter(2), letter(3)));
    maildrop = await store.open();
    await maildrop.load?.();
    assert.equal(await textOf(maildrop, 0), letter(1));
    await delay(1100);
    nfs.replaced();
    assert.equal(await textOf(maildrop, 0), letter(1), 'the same file under the name, by another descriptor');
    await writeFile(`${store.pathOf()}.new`, mailbox(letter(3), letter(2)), { mode: 0o600 });
    await rename(`${store.pathOf()}.new`, store.pathOf());
    await delay(1100);
    nfs.replaced();
    assert.equal(await textOf(maildrop, 1), letter(2));
    await assert.rejects(textOf(maildrop, 0), isGone);
  });

  it('a mailbox that was removed has no messages any more', async () => {
    await rm(store.pathOf());
    await assert.rejects(textOf(maildrop, 0), isGone);
    await assert.rejects(maildrop.commit(new Set([0])), { code: 'SYS/TEMP' });
    await assert.rejects(realFiles.open(store.pathOf(), 'read'), { code: 'ENOENT' });
  });

  it('new mail does not disturb', async () => {
    await appendFile(store.pathOf(), mailbox(letter(4)));
    assert.equal(await textOf(maildrop, 2), letter(3));
    assert.equal(maildrop.count, 3);
  });
});

async function readInParts(between: () => Promise<void>): Promise<string> {
  let text = '';
  let isFirst = true;
  for await (const chunk of maildrop.read(1, AbortSignal.timeout(60_000))) {
    text += Buffer.from(chunk).toString('latin1');
    if (isFirst) await between();
    isFirst = false;
  }
  return text;
}

describe('a large message', () => {
  const body = 'a line of a large message, which is longer than what is read at once\n'.repeat(2000);
  const large = letter(2, body);
  const settings = { readAheadOctets: 16 * 1024 };
  beforeEach(async () => {
    await open(mailbox(letter(1), large, letter(3)), settings);
    await openAgain();
  });

  it('is read whole although mail arrives meanwhile', async () => {
    assert.equal(await readInParts(() => appendFile(store.pathOf(), mailbox(letter(4)))), large);
    assert.equal(await textOf(maildrop, 2), letter(3));
  });

  it('is broken off rather than mixed with another if the mailbox is rewritten meanwhile', async () => {
    await assert.rejects(
      readInParts(() => store.removeBehind('mrose', 0)),
      isGone,
    );
    assert.equal(await textOf(maildrop, 1), large);
  });

  it('ends when its reader is gone', async () => {
    const gone = new AbortController();
    const read = async (): Promise<void> => {
      for await (const chunk of maildrop.read(1, gone.signal)) if (chunk.length > 0) gone.abort();
    };
    await assert.rejects(read(), { name: 'AbortError' });
    assert.equal(await textOf(maildrop, 2), letter(3));
  });

  it('is read little at first, and in large pieces when the client goes on', async () => {
    const sizes: number[] = [];
    for await (const chunk of maildrop.read(1, AbortSignal.timeout(60_000))) sizes.push(chunk.length);
    assert.equal(sizes.length, 2);
    assert.ok((sizes[0] ?? 0) <= settings.readAheadOctets);
  });

  it('is right for many clients that read at once, slowly, and leave in the middle', async () => {
    const users = Array.from({ length: 40 }, (_, number) => `user${number}`);
    const texts = new Map(users.map((user) => [user, letter(1, `${user}, a line\n`.repeat(9000))]));
    const read = async (user: string, number: number): Promise<void> => {
      await store.write(mailbox(texts.get(user) ?? ''), user);
      const opened = await store.open(user);
      await opened.load?.();
      for (let round = 0; round < 3; round += 1) {
        let text = '';
        for await (const chunk of opened.read(0, AbortSignal.timeout(60_000))) {
          await delay((number * 7 + round) % 5);
          text += Buffer.from(chunk).toString('latin1');
          if (number % 4 === round) break;
        }
        assert.ok((texts.get(user) ?? '').startsWith(text) && text !== '');
      }
      await opened.close();
    };
    await Promise.all(users.map(read));
  });
});

describe('a client that fetches all in order', () => {
  it('is served from few large reads', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => letter(index));
    await open(mailbox(...texts));
    await openAgain();
    for (const [index, text] of texts.entries()) assert.equal(await textOf(maildrop, index), text);
    const calls = files.callsTo(store.pathOf()).map((call) => call.what);
    assert.deepEqual(calls, ['open', 'stat', 'lstat', 'read', 'stat']);
  });

  it('is served new mail from what was read when it was found', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => letter(index));
    await open(mailbox(...texts));
    files.forget();
    for (const [index, text] of texts.entries()) assert.equal(await textOf(maildrop, index), text);
    assert.deepEqual(
      files.callsTo(store.pathOf()).map((call) => call.what),
      ['stat'],
    );
    await appendFile(store.pathOf(), mailbox(letter(200), letter(201)));
    await openAgain();
    for (const index of [200, 201]) assert.equal(await textOf(maildrop, index), letter(index));
    assert.deepEqual(
      files.callsTo(store.pathOf()).map((call) => call.what),
      ['stat'],
    );
    assert.equal(await textOf(maildrop, 0), letter(0));
  });
});

describe('a maildrop that is closed', () => {
  it('has left no descriptor open, and can be opened again', async () => {
    let openCount = 0;
    const openFile = files.open.bind(files);
    files.open = async (path, mode) => {
      const file = await openFile(path, mode);
      // The process's note of its locks, which is no one session's.
      if (path.endsWith(noteEnding)) return file;
      openCount += 1;
      const close = async (): Promise<void> => {
        openCount -= 1;
        await file.close();
      };
      return { ...file, close };
    };
    await textOf(maildrop, 0);
    await store.removeBehind('mrose', 0);
    await textOf(maildrop, 1);
    await maildrop.commit(new Set([1]));
    await maildrop.close();
    assert.equal(openCount, 0);
    assert.equal(store.state.heldClaims, 0);
    maildrop = await store.open();
    assert.equal(maildrop.count, 1);
  });
});

it('mail is as it was delivered, for every kind of line end', async () => {
  const texts = [
    letter(1).replaceAll('\n', '\r\n'),
    letter(2),
    'no header\n',
    'H: only\n',
    '',
    '\n',
    '.\n..\n',
  ];
  await open(mailbox(...texts));
  for (const [index, text] of texts.entries()) assert.equal(await textOf(maildrop, index), text);
  await maildrop.commit(new Set([1]));
  assert.equal(await store.content(), mailbox(...texts.toSpliced(1, 1)));
});

const failing = (code: string): void => {
  files.before = ({ what }) => {
    if (what === 'checkWritable') throw systemError(code);
  };
};

const refusal = async (): Promise<unknown> => maildrop.mayDelete?.().catch((error: unknown) => error);

describe('whether anything may be deleted', () => {
  for (const code of ['EROFS', 'EACCES', 'EPERM']) {
    it(`${code}: nothing, which is found out once, and its cause is told once`, async () => {
      failing(code);
      const [first, second] = [await refusal(), await refusal()];
      assert.ok(first instanceof Failure && second instanceof Failure);
      assert.deepEqual([first.code, second.code], ['SYS/PERM', 'SYS/PERM']);
      assert.equal(first.message, second.message);
      assert.ok(first.cause instanceof Error);
      assert.equal(second.cause, undefined);
      assert.equal(files.calls.filter(({ what }) => what === 'checkWritable').length, 1);
    });
  }

  for (const code of ['ENOENT', 'EIO', 'ENFILE']) {
    it(`${code}: that may have passed by QUIT`, async () => {
      failing(code);
      assert.equal(await refusal(), undefined);
    });
  }

  it('to ask opens nothing, and changes nothing', async () => {
    files.forget();
    assert.equal(await refusal(), undefined);
    assert.deepEqual(
      files.calls.map(({ what }) => what),
      ['checkWritable'],
    );
  });
});
