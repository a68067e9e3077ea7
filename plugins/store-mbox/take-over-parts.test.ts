import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { Failure } from 'popperd';

import { type Files, realFiles } from './commit/index.ts';
import { temporaryDropPathOf } from './temporary-drop.ts';
import { identityOf, MboxUnderTest } from './testing/mbox-under-test.ts';
import { MortalFiles } from './testing/mortal-files.ts';
import { letter, session } from './testing/sessions.ts';
import { type FileCall, systemError, WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;
let dropPath = '';
async function make(under: Files = realFiles): Promise<void> {
  await store?.dispose();
  files = new WatchedFiles(under);
  store = await MboxUnderTest.make({ takeOverTemporaryDrop: true, chunkOctets: 4096 }, files);
  dropPath = temporaryDropPathOf(store.pathOf());
}
beforeEach(() => make());
afterEach(() => store.dispose());

/** So large that each is added for itself. */
const large = (number: number): string => letter(number, `${'x'.repeat(99)}\n`.repeat(30));
const envelope = MboxUnderTest.envelopeOf(0);
const mailbox = (...texts: readonly string[]): string => texts.map((text) => `${envelope}${text}\n`).join('');
const leave = (content: string): Promise<void> =>
  writeFile(dropPath, content, { encoding: 'latin1', mode: 0o600 });

/** Whether the mailbox would grow, or a journal be written. Only what is there already can be written over. */
const wantsRoom = ({ what, path }: FileCall): boolean =>
  what === 'write' && (path === store.pathOf() || path.endsWith('.j'));

/** The disk is full as soon as so many of the messages left have been added. */
function fullAfter(count: number): void {
  let writes = 0;
  files.before = (call) => {
    if (!wantsRoom(call)) return;
    // The first octet of room, then the content.
    if (call.path === store.pathOf()) writes += 1;
    if (writes > 2 * count) throw systemError('ENOSPC');
  };
}
const roomAgain = (): void => {
  files.before = () => {};
};

/** A client that fetches all there is and deletes it, as most do. */
const fetchAll = async (): Promise<readonly string[]> => {
  const { texts } = await session(store, (maildrop) =>
    maildrop.commit(new Set(Array.from({ length: maildrop.count }, (_, index) => index))),
  );
  return texts;
};
const notes = async (): Promise<readonly string[]> =>
  (await readdir(await store.state.folderOf(identityOf('')))).filter((name) => name.endsWith('.taken'));

describe('a temporary drop on a disk that is full when a part of it has been added', () => {
  it('gives each message once, in order, though what was added is fetched and deleted meanwhile', async () => {
    await store.write(mailbox(letter(0)));
    await leave(mailbox(large(1), large(2), large(3)));
    fullAfter(1);
    assert.deepEqual(await fetchAll(), [letter(0), large(1)]);
    assert.deepEqual(await fetchAll(), []);
    fullAfter(1);
    assert.deepEqual(await fetchAll(), [large(2)]);
    roomAgain();
    await store.deliver('mrose', [Buffer.from(letter(9))]);
    assert.deepEqual(await fetchAll(), [letter(9), large(3)]);
    assert.deepEqual([await readFile(dropPath, 'latin1'), await notes()], ['', []]);
  });

  it('gives each of several equal messages', async () => {
    await leave(mailbox(large(1), large(1), large(2), large(1)));
    fullAfter(1);
    assert.deepEqual(await fetchAll(), [large(1)]);
    fullAfter(2);
    assert.deepEqual(await session(store).then(({ texts }) => texts), [large(1), large(2)]);
    roomAgain();
    assert.deepEqual(await fetchAll(), [large(1), large(2), large(1)]);
    assert.deepEqual(await fetchAll(), []);
  });

  it('gives no more what was in the mailbox before, and is deleted there', async () => {
    const copied = mailbox(large(2), large(3));
    await store.write(copied);
    await leave(mailbox(large(0), large(1)) + copied + mailbox(large(2)).slice(0, 99));
    fullAfter(1);
    assert.deepEqual(await fetchAll(), [large(2), large(3), large(0)]);
    roomAgain();
    assert.deepEqual(await fetchAll(), [large(1)]);
  });

  it('gives all that a classic popper has put there since', async () => {
    await leave(mailbox(large(1), large(2)));
    fullAfter(1);
    assert.deepEqual(await fetchAll(), [large(1)]);
    roomAgain();
    await leave(mailbox(large(1), large(2)));
    assert.deepEqual(await fetchAll(), [large(1), large(2)]);
  });

  it('adds nothing where it cannot be noted what is there', async () => {
    await store.write(mailbox(letter(0)));
    await leave(mailbox(large(1), large(2)));
    files.before = ({ what, path }) => {
      if (what === 'write' && path.endsWith('.taken')) throw systemError('ENOSPC');
    };
    assert.deepEqual(await fetchAll(), [letter(0)]);
    assert.deepEqual(await notes(), []);
    roomAgain();
    assert.deepEqual(await fetchAll(), [large(1), large(2)]);
  });
});

/** What of the temporary drop, or of the note, fails. */
function failing(...points: readonly string[]): void {
  files.before = ({ what, path }) => {
    const of = path === dropPath ? 'drop' : path.endsWith('.taken') && 'note';
    if (of !== false && points.includes(`${what} of the ${of}`)) throw systemError('EDQUOT');
  };
}

describe('a temporary drop whose mail is all in the mailbox already', () => {
  const all = [letter(0), large(1)];
  beforeEach(async () => {
    await store.write(mailbox(...all));
    await leave(mailbox(...all));
  });

  it('is emptied where nothing can be noted, so that mail can be deleted, which makes room', async () => {
    failing('write of the note');
    assert.deepEqual(await fetchAll(), all);
    assert.equal(await readFile(dropPath, 'latin1'), '');
    assert.deepEqual(await fetchAll(), []);
  });

  it('is noted where it cannot be emptied, and does not come back', async () => {
    for (const point of ['truncate of the drop', 'sync of the drop']) {
      failing(point);
      assert.deepEqual(await fetchAll(), all);
      roomAgain();
      assert.deepEqual(await fetchAll(), []);
      await store.write(mailbox(...all));
      await leave(mailbox(...all));
    }
  });

  it('keeps everybody out where it can be neither emptied nor noted', async () => {
    failing('write of the note', 'truncate of the drop');
    await assert.rejects(store.open(), { code: 'SYS/TEMP' });
    roomAgain();
    assert.deepEqual(await fetchAll(), all);
    assert.deepEqual(await fetchAll(), []);
  });
});

it('where it cannot be noted that mail was added, nobody may delete it until it is', async () => {
  await leave(mailbox(large(1), large(2)));
  let writes = 0;
  files.before = ({ what, path }) => {
    if (what === 'write' && path.endsWith('.taken') && (writes += 1) > 1) throw systemError('EIO');
  };
  for (let login = 0; login < 2; login += 1) {
    await assert.rejects(store.open(), { code: 'SYS/TEMP' });
    assert.equal(store.state.heldClaims, 0);
  }
  roomAgain();
  assert.deepEqual(await fetchAll(), [large(1), large(2)]);
  assert.deepEqual(await fetchAll(), []);
});

it('U5: a daemon that is killed between two parts loses and doubles nothing, though the disk is full afterwards', async () => {
  const all = [1, 2, 3].map((number) => large(number));
  for (let step = 0; ; step += 1) {
    const isWhole = await takeOverAndDie(step);
    // Of the second part on; a journal that was pending may need no room any more.
    fullAfter(0);
    const first = await fetchAll().catch((error: unknown) => {
      assert.ok(error instanceof Failure && error.code === 'SYS/TEMP');
      return [];
    });
    roomAgain();
    const rest = await fetchAll();
    assert.deepEqual([...first, ...rest], all, `step ${step}`);
    assert.equal(await readFile(dropPath, 'latin1'), '', `step ${step}`);
    assert.deepEqual(await fetchAll(), [], `step ${step}`);
    if (isWhole) return assert.ok(step > 40, `only ${step} steps`);
  }
});

/** Whether it came to its end before that step. */
async function takeOverAndDie(step: number): Promise<boolean> {
  const mortal = new MortalFiles();
  await make(mortal.files);
  await leave(mailbox(large(1), large(2), large(3)));
  const isWhole = await mortal.outlives(step, async () => (await store.open()).close());
  if (!isWhole) await store.die();
  return isWhole;
}
