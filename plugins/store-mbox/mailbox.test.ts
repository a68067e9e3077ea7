import assert from 'node:assert/strict';
import {
  appendFile,
  chmod,
  copyFile,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import * as fc from 'fast-check';

import { realFiles } from './commit/index.ts';
import type { Options } from './options.ts';
import { identityOf, MboxUnderTest } from './testing/mbox-under-test.ts';
import { lockByFcntl } from './testing/other-programs.ts';
import { letter, letters, listingOf, session, textOf } from './testing/sessions.ts';
import { WatchedFiles } from './testing/watched-files.ts';

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
const stateFolder = (): Promise<string> => store.state.folderOf(identityOf('mrose'));
const indexNames = async (): Promise<string[]> =>
  (await readdir(await stateFolder())).filter((name) => name.endsWith('index'));

/** A new process: nothing is in memory. */
async function anew(): Promise<void> {
  await store.restart();
  files.forget();
}

describe('a login on an unchanged mailbox', () => {
  it('neither opens nor locks it, and reads nothing', async () => {
    await store.deliver('mrose', letters(1, 2, 3));
    const first = await session(store);
    for (const isAnew of [false, true]) {
      if (isAnew) await anew();
      files.forget();
      const maildrop = await store.open();
      assert.equal(maildrop.count, 3);
      assert.equal(
        maildrop.totalOctets,
        first.octets.reduce((sum, octets) => sum + octets, 0),
      );
      await maildrop.close();
      assert.deepEqual([...new Set(files.callsTo(store.pathOf()).map((call) => call.what))], ['lstat']);
    }
  });

  it('is answered from memory in a process that served the user before', async () => {
    await store.deliver('mrose', letters(1, 2, 3));
    await session(store);
    for (const isAnew of [false, true]) {
      if (isAnew) {
        await anew();
        await (await store.open()).close();
      }
      files.forget();
      await (await store.open()).close();
      assert.deepEqual([...new Set(files.calls.map((call) => call.what))], ['lstat']);
    }
  });

  it('reads 4 KiB of the index however many messages there are', async () => {
    await store.deliver('mrose', letters(...Array.from({ length: 500 }, (_, index) => index)));
    await session(store);
    await anew();
    await (await store.open()).close();
    const readOctets = files.calls.reduce((sum, { what, octets }) => sum + (what === 'read' ? octets : 0), 0);
    assert.equal(readOctets, 4096);
  });

  it('gives the same after the machine was started again', async () => {
    await store.deliver('mrose', letters(1, 2));
    const before = await session(store);
    files.bootId = async () => 'another start';
    await anew();
    const maildrop = await store.open();
    assert.equal(files.readOctets(store.pathOf()), 0);
    assert.deepEqual(await listingOf(maildrop), before);
    await maildrop.close();
  });
});

describe('a session writes nothing unless it deletes', () => {
  it('not to the mailbox, nor beside it', async () => {
    await store.deliver('mrose', letters(1, 2));
    const before = await realFiles.lstat(store.pathOf());
    await session(store);
    assert.deepEqual(await realFiles.lstat(store.pathOf()), before);
    const writes = new Set(['write', 'truncate', 'rename', 'link', 'unlink', 'sync', 'dataSync']);
    assert.deepEqual(
      files.calls.filter(({ what, path }) => writes.has(what) && path.startsWith(store.folder)),
      [],
    );
  });

  it('and makes no mailbox for a user who has none', async () => {
    assert.deepEqual((await session(store)).uids, []);
    assert.deepEqual(await readdir(store.folder), []);
    await store.write('');
    assert.deepEqual((await session(store)).uids, []);
    assert.deepEqual(await indexNames(), []);
  });
});

describe('mail that was added since the last time', () => {
  it('is the only mail that is scanned', async () => {
    const large = Buffer.from(letter(1, 'x'.repeat(70).concat('\n').repeat(20_000)));
    await store.deliver('mrose', [large, ...letters(2)]);
    const before = await session(store);
    await store.deliver('mrose', letters(3, 4));
    for (const isAnew of [false, true]) {
      if (isAnew) {
        await store.deliver('mrose', letters(5));
        await anew();
      }
      files.forget();
      const maildrop = await store.open();
      await maildrop.load?.();
      assert.ok(files.readOctets(store.pathOf()) < 20_000, 'more was read than the new mail');
      assert.deepEqual(
        before.uids,
        [0, 1].map((index) => maildrop.uidOf(index)),
      );
      assert.equal(await textOf(maildrop, 3), letter(4));
      await maildrop.close();
    }
  });

  it('gives the same index as a scan of the whole would', async () => {
    const line = fc.constantFrom(
      '',
      '',
      'text',
      '>From x',
      'Subject: y',
      'From here on',
      '\r',
      envelope.trimEnd(),
    );
    const piece = fc.tuple(fc.boolean(), fc.array(line, { maxLength: 4 }), fc.constantFrom('\n', '\r\n', ''));
    const pieceText = piece.map(([isMessage, lines, end]) => {
      const text = lines.map((one) => one + end).join('');
      return isMessage ? `${envelope}${text}\n` : text;
    });
    await fc.assert(
      fc.asyncProperty(fc.array(pieceText, { minLength: 1, maxLength: 6 }), async (pieces) => {
        await make();
        await store.write(`${envelope}X: y\n\n`);
        for (const text of pieces) {
          await session(store);
          await appendFile(store.pathOf(), text, 'latin1');
        }
        const appended = await session(store);
        const state = await stateFolder();
        for (const name of await indexNames()) await rm(join(state, name));
        await anew();
        assert.deepEqual(await session(store), appended);
      }),
      { numRuns: 60 },
    );
  });

  it('is not taken for added if the mail before it is not what it was', async () => {
    await store.deliver('mrose', letters(1, 2));
    await session(store);
    const content = (await store.content()).replace('message 2', 'message 7');
    await writeFile(store.pathOf(), `${content}${envelope}${letter(3)}\n`);
    const { texts } = await session(store);
    assert.deepEqual(texts, [letter(1), letter(2).replace('message 2', 'message 7'), letter(3)]);
  });

  it('continues the last message if that had not been complete', async () => {
    await store.write(`${envelope}${letter(1)}`);
    const [uid] = (await session(store)).uids;
    await appendFile(store.pathOf(), 'One more line.\n\n');
    const after = await session(store);
    assert.deepEqual(after.texts, [`${letter(1)}One more line.\n`]);
    assert.notEqual(after.uids[0], uid);
  });

  it('leaves the uid of a last message that only lacked its line end', async () => {
    await store.write(`${envelope}${letter(1)}`.trimEnd());
    const before = await session(store);
    await appendFile(store.pathOf(), `\n\n${envelope}${letter(2)}\n`);
    const after = await session(store);
    assert.deepEqual(after.texts, [letter(1), letter(2)]);
    assert.equal(after.uids[0], before.uids[0]);
  });

  it('is text after all if it only began like a From_ line', async () => {
    await store.write(`${envelope}${letter(1)}\n${envelope.trimEnd()}`);
    assert.equal((await session(store)).uids.length, 2);
    await appendFile(store.pathOf(), ' is what he wrote.\n');
    assert.deepEqual((await session(store)).texts, [
      `${letter(1)}\n${envelope.trimEnd()} is what he wrote.\n`,
    ]);
  });

  it('is shown when it is complete, while a program with the dotlock is writing it', async () => {
    await store.deliver('mrose', letters(1));
    await appendFile(store.pathOf(), `${envelope}Subject: half of`);
    await writeFile(`${store.pathOf()}.lock`, '0');
    assert.deepEqual((await session(store)).texts, [letter(1)]);
    assert.deepEqual((await session(store)).texts, [letter(1)]);
    await appendFile(store.pathOf(), ' it\n\n');
    await rm(`${store.pathOf()}.lock`);
    assert.deepEqual((await session(store)).texts, [letter(1), 'Subject: half of it\n']);
  });

  it('is shown without its last line end once the program is gone', async () => {
    await store.write(`${envelope}Subject: half of`);
    await writeFile(`${store.pathOf()}.lock`, '0');
    assert.deepEqual((await session(store)).texts, []);
    await rm(`${store.pathOf()}.lock`);
    assert.deepEqual((await session(store)).texts, ['Subject: half of']);
  });
});

describe('an index in doubt is made anew from the mailbox', () => {
  it('wherever it was damaged', async () => {
    await store.deliver('mrose', letters(1, 2, 2));
    const before = await session(store);
    const path = join(await stateFolder(), (await indexNames())[0] ?? '');
    const sound = await readFile(path);
    for (let at = 0; at < sound.length; at += at < 224 ? 17 : 311) {
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      await writeFile(path, damaged);
      await anew();
      assert.deepEqual(await session(store), before);
      assert.deepEqual(await readFile(path), sound, 'it was not written again');
    }
  });

  it('if it is cut off, empty, or of another mailbox', async () => {
    await store.deliver('mrose', letters(1, 2));
    const before = await session(store);
    const path = join(await stateFolder(), (await indexNames())[0] ?? '');
    await truncate(path, 4096 + 80);
    await anew();
    assert.deepEqual(await session(store), before);
    await truncate(path, 0);
    await anew();
    assert.deepEqual(await session(store), before);
    await store.deliver('other', letters(7, 8, 9));
    const other = await store.open('other');
    await other.close();
    const names = await indexNames();
    const otherName = names.find((name) => !path.endsWith(name)) ?? '';
    await copyFile(join(await stateFolder(), otherName), path);
    await anew();
    assert.deepEqual(await session(store), before);
  });

  it('and a login on a full disk goes on without one', async () => {
    await store.deliver('mrose', letters(1));
    files.before = ({ what, path }) => {
      if (what === 'write' && path.includes('index'))
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    assert.deepEqual((await session(store)).texts, [letter(1)]);
    assert.match(store.logged.map((record) => record.message).join(), /the index was not written/);
  });

  it('and changes with the option that decides what a message is', async () => {
    const inner = `${envelope}Subject: inner\n\nx\n`;
    const text = `Subject: outer\nContent-Length: ${inner.length + 3}\n\nx\n\n${inner}`;
    await store.write(`${envelope}${text}\n`);
    assert.equal((await session(store)).uids.length, 2);
    const { folder } = store;
    const counting = await MboxUnderTest.make({ contentLength: true, spool: join(folder, '{user}') });
    assert.equal((await session(counting)).uids.length, 1);
    await counting.dispose();
  });
});

describe('other programs change the mailbox between two sessions', () => {
  it('a reader that writes Status: fields changes no uid', async () => {
    await store.deliver('mrose', letters(1, 2));
    const before = await session(store);
    const content = await store.content();
    await store.write(content.replace('Subject: message 1', 'Status: RO\nX-UID: 7\nSubject: message 1'));
    const after = await session(store);
    assert.deepEqual(after.uids, before.uids);
    assert.notDeepEqual(after.octets, before.octets);
  });

  it('a program that replaces the file is noticed', async () => {
    await store.deliver('mrose', letters(1, 2));
    const before = await session(store);
    await writeFile(`${store.pathOf()}.new`, `${envelope}${letter(2)}\n`, { mode: 0o600 });
    await rename(`${store.pathOf()}.new`, store.pathOf());
    const after = await session(store);
    assert.deepEqual(after.texts, [letter(2)]);
    assert.equal(after.uids.length, 1);
    assert.notEqual(after.uids[0], before.uids[0]);
  });

  it('a mailbox that was cut off has the messages that are left', async () => {
    await store.deliver('mrose', letters(1, 2, 3));
    const before = await session(store);
    const octets = (await store.content()).length;
    await truncate(store.pathOf(), octets - 10);
    const after = await session(store);
    assert.equal(after.texts.length, 3);
    assert.deepEqual(after.uids.slice(0, 2), before.uids.slice(0, 2));
    await truncate(store.pathOf(), 0);
    assert.deepEqual((await session(store)).uids, []);
  });
});

describe('B11: the notes of UW programs', () => {
  const notes = "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nnotes\n";

  it('are hidden, and kept when everything is deleted', async () => {
    await store.write(`${envelope}${notes}\n`);
    await store.deliver('mrose', letters(1, 2));
    const listing = await session(store, (maildrop) => maildrop.commit(new Set([0, 1])));
    assert.deepEqual(listing.texts, [letter(1), letter(2)]);
    assert.equal(await store.content(), `${envelope}${notes}\n`);
    assert.deepEqual((await session(store)).texts, []);
    await store.deliver('mrose', letters(3));
    assert.deepEqual((await session(store)).texts, [letter(3)]);
  });
});

describe('B10: octets before the first message', () => {
  it('are kept and not shown, and the operator is told', async () => {
    await store.write(`rom mrose\nhalf a message\n\n${envelope}${letter(1)}\n`);
    await store.deliver('mrose', letters(2));
    const listing = await session(store, (maildrop) => maildrop.commit(new Set([0])));
    assert.deepEqual(listing.texts, [letter(1), letter(2)]);
    assert.equal(await store.content(), `rom mrose\nhalf a message\n\n${envelope}${letter(2)}\n`);
    assert.match(store.logged.map((record) => record.message).join(), /before the first message/);
  });

  it('make a file that is no mbox, if there is no message at all', async () => {
    await store.write('This is a letter that I have to write.\n');
    await assert.rejects(store.open(), { code: 'SYS/PERM' });
    assert.equal(store.state.heldClaims, 0);
  });
});

describe('a login that fails lets go of the session lock', () => {
  it('where the mailbox is not to be trusted', async () => {
    await store.deliver('mrose', letters(1));
    await chmod(store.pathOf(), 0o602);
    await assert.rejects(store.open(), { code: 'SYS/PERM' });
    await chmod(store.pathOf(), 0o600);
    assert.equal((await session(store)).texts.length, 1);
  });

  it('where another program has the mailbox locked for too long', async () => {
    await make({ lockTimeoutMs: 50 });
    await store.deliver('mrose', letters(1));
    const python = await lockByFcntl(store.pathOf());
    await assert.rejects(store.open(), { code: 'IN-USE' });
    await python.release();
    assert.equal((await session(store)).texts.length, 1);
  });

  it('where the name leads out of the spool', async () => {
    await assert.rejects(store.open('../mrose'), { code: 'SYS/PERM' });
    assert.equal(store.state.heldClaims, 0);
  });
});

describe('equal messages (M12)', () => {
  it('keep their uids whichever is deleted, and a new one gets one that was never used', async () => {
    await store.deliver('mrose', letters(1));
    await store.write((await store.content()).repeat(3));
    const first = await session(store, (maildrop) => maildrop.commit(new Set([1])));
    assert.equal(new Set(first.uids).size, 3);
    await anew();
    const second = await session(store);
    assert.deepEqual(second.uids, [first.uids[0], first.uids[2]]);
    await appendFile(store.pathOf(), `${envelope}${letter(1)}\n`);
    const third = await session(store);
    assert.deepEqual(third.uids.slice(0, 2), second.uids);
    assert.ok(![...first.uids, ...second.uids].includes(third.uids[2] ?? ''), 'a uid was used again');
  });

  it('keep their uids when a process is killed between the deletion and the index', async () => {
    await store.deliver('mrose', letters(1));
    await store.write((await store.content()).repeat(3));
    const { uids } = await session(store);
    const maildrop = await store.open();
    await maildrop.load?.();
    await maildrop.commit(new Set([0]));
    // No close, no index.
    await store.die();
    assert.deepEqual((await session(store)).uids, uids.slice(1));
    await anew();
    assert.deepEqual((await session(store)).uids, uids.slice(1));
    assert.ok(!(await indexNames()).some((name) => name.endsWith('next-index')));
  });

  it('keep their uids when they came since the index was written, and a process is killed after deleting one', async () => {
    await store.deliver('mrose', letters(1));
    await session(store);
    await appendFile(store.pathOf(), `${envelope}${letter(2)}\n`.repeat(2));
    const { uids } = await session(store);
    const maildrop = await store.open();
    await maildrop.load?.();
    await maildrop.commit(new Set([1]));
    await store.die();
    assert.deepEqual((await session(store)).uids, [uids[0], uids[2]]);
    await anew();
    assert.deepEqual((await session(store)).uids, [uids[0], uids[2]]);
  });

  for (const [event, next] of [
    ['nothing happens', (content: string) => content],
    ['mail comes', (content: string) => `${content}${envelope}${letter(2)}\n`],
    ['a reader removes another', (content: string) => content.slice(0, content.lastIndexOf(envelope))],
    ['a reader writes Status:', (content: string) => content.replace('Subject', 'Status: O\nSubject')],
  ] as const) {
    it(`keep their uids when a process is killed before the deletion, and ${event}`, async () => {
      await store.deliver('mrose', letters(1));
      await store.write((await store.content()).repeat(3));
      if (event.endsWith('another')) await store.deliver('mrose', letters(3));
      const uids = (await session(store)).uids.slice(0, 3);
      const maildrop = await store.open();
      await maildrop.load?.();
      files.before = ({ what, path }) => {
        if (what === 'open' && path.endsWith('.j')) throw Object.assign(new Error('killed'), { code: 'EIO' });
      };
      await assert.rejects(maildrop.commit(new Set([0])));
      files.before = () => {};
      await store.die();
      await store.write(next(await store.content()));
      assert.deepEqual((await session(store)).uids.slice(0, 3), uids);
      await anew();
      assert.deepEqual((await session(store)).uids.slice(0, 3), uids);
    });
  }
});

/** From now on index files look as if they were written a minute earlier. */
const letTimePass = (): void => {
  files.lstat = async (path) => {
    await files.before({ what: 'lstat', path, octets: 0 });
    const stat = await realFiles.lstat(path);
    const ageNs = path.endsWith('.index') ? 60_000_000_000n : 0n;
    return stat && { ...stat, ctimeNs: stat.ctimeNs - ageNs };
  };
};

/** What a visit that finds a new message reads of the index. */
const octetsOfIndexRead = async (): Promise<number> => {
  await store.deliver('mrose', letters(9));
  files.forget();
  await (await store.open()).close();
  const reads = files.calls.filter(({ what, path }) => what === 'read' && path.endsWith('.index'));
  return reads.reduce((sum, { octets }) => sum + octets, 0);
};

describe('the index of a user who often has new mail', () => {
  it('is read when it may be new, and not again while its file stays as it is', async () => {
    await store.deliver('mrose', letters(1, 2));
    await session(store);
    // Written just now: the file may change without its times' changing.
    for (const visit of [1, 2]) assert.equal(await octetsOfIndexRead(), 4096, `visit ${visit}`);
    letTimePass();
    assert.deepEqual([await octetsOfIndexRead(), await octetsOfIndexRead()], [4096, 0]);
    const path = join(await stateFolder(), String((await indexNames())[0]));
    await writeFile(path, await readFile(path));
    assert.deepEqual([await octetsOfIndexRead(), await octetsOfIndexRead()], [4096, 0]);
    assert.equal((await session(store)).uids.length, 8);
  });
});

describe('a little that was added', () => {
  it('is not written down at each login, but when it has become much', async () => {
    await store.deliver('mrose', letters(1));
    const { uids } = await session(store);
    files.forget();
    await appendFile(store.pathOf(), `${envelope}${letter(2)}\n`);
    const second = await session(store);
    assert.deepEqual(second.uids.slice(0, 1), uids);
    assert.deepEqual(written(), []);
    await anew();
    assert.deepEqual((await session(store)).uids, second.uids);
    files.forget();
    await appendFile(store.pathOf(), `${envelope}${letter(3).repeat(10_000)}\n`);
    const third = await session(store);
    assert.deepEqual(third.uids.slice(0, 2), second.uids);
    assert.equal(written().length, 2);
  });
});

function written(): readonly string[] {
  return files.calls.filter(({ what }) => what === 'write').map(({ path }) => path);
}

describe('memory and time', () => {
  it('a mailbox whose index does not fit into the cache is served all the same', async () => {
    await make({ cacheOctets: 0 });
    await store.deliver('mrose', letters(1, 2));
    const before = await session(store);
    assert.deepEqual(await session(store), before);
  });

  it('a maildrop that was opened says nothing about single messages before load', async () => {
    await store.deliver('mrose', letters(1));
    const maildrop = await store.open();
    assert.throws(() => maildrop.octetsOf(0), /load/);
    await maildrop.load?.();
    assert.throws(() => maildrop.octetsOf(1), RangeError);
    assert.throws(() => maildrop.uidOf(-1), RangeError);
    await maildrop.close();
  });

  it('uids are 26 characters of base 32', async () => {
    await store.deliver('mrose', letters(1));
    const maildrop = await store.open();
    const { uids } = await listingOf(maildrop);
    await maildrop.close();
    assert.match(uids[0] ?? '', /^[0-9a-v]{26}$/);
  });
});
