import assert from 'node:assert/strict';
import { copyFile, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { appendMessages } from './append.ts';
import { commitDeletions } from './commit.ts';
import type { Files, FileStat, OpenFile } from './files.ts';
import { journalPathOf } from './journal.ts';
import { pendingJournals } from './pending.ts';
import { realFiles } from './real-files.ts';
import { recoverMailbox } from './recover.ts';
import { type RealMailbox, withMailbox } from './testing/real-mailbox.ts';

const first = Buffer.from('From a\n\nthe first message\n\n');
const second = Buffer.from(`From b\n\n${'the second message\n'.repeat(20)}\n`);
const both = Buffer.concat([first, second]);

test('a half-done deletion is finished, with the mail that came since', async () => {
  await withMailbox(both, async (real) => {
    await breakCommit(real);
    const late = Buffer.from('From late\n\nnew\n\n');
    await real.mailbox.file.write(late, both.length);
    assert.deepEqual(await recoverMailbox(real.mailbox, real.settings), { kind: 'rolled forward' });
    assert.deepEqual(await real.content(), Buffer.concat([second, late]));
    assert.deepEqual(await pendingJournals(realFiles, real.settings.journalFolder), []);
    assert.deepEqual(await recoverMailbox(real.mailbox, real.settings), { kind: 'none' });
  });
});

test('a mailbox that is another file now keeps its content, and the journal is kept for the operator', async () => {
  await withMailbox(both, async (real) => {
    await breakCommit(real);
    const rewritten = Buffer.from('From mutt\n\nrewrote all\n\n');
    await writeFile(`${real.mailbox.path}.new`, rewritten);
    await rename(`${real.mailbox.path}.new`, real.mailbox.path);
    const file = await realFiles.open(real.mailbox.path, 'read-write');
    const recovery = await recoverMailbox({ path: real.mailbox.path, file }, real.settings);
    await file.close();
    assert.equal(recovery.kind, 'conflict');
    assert.match(recovery.kind === 'conflict' ? recovery.keptPath : '', /\.[0-9a-f]{8}\.conflict$/);
    assert.deepEqual(await real.content(), rewritten);
    assert.deepEqual(await pendingJournals(realFiles, real.settings.journalFolder), []);
  });
});

test('a device with another number is the same mailbox after a restart of the machine, and not before', async () => {
  for (const [bootId, kind] of [
    ['another boot', 'rolled forward'],
    ['this boot', 'conflict'],
  ] as const) {
    await withMailbox(both, async (real) => {
      await breakCommit({ ...real, settings: { ...real.settings, files: bootedAs('this boot') } });
      const files = bootedAs(bootId);
      const mailbox = { ...real.mailbox, file: onAnotherDevice(real.mailbox.file) };
      assert.equal((await recoverMailbox(mailbox, { ...real.settings, files })).kind, kind);
    });
  }
});

test('a mailbox that another program cut short meanwhile is left alone', async () => {
  await withMailbox(both, async (real) => {
    await breakCommit(real);
    await truncate(real.mailbox.path, 10);
    assert.deepEqual(await recoverMailbox(real.mailbox, real.settings), { kind: 'finished' });
    assert.equal((await real.content()).length, 10);
  });
});

test('a journal that comes back after its commit is done changes nothing, even if mail came since', async () => {
  await withMailbox(both, async (real) => {
    const path = journalPathOf(real.settings.journalFolder, real.mailbox.path);
    await breakCommit(real);
    await copyFile(path, `${path}.old`);
    await recoverMailbox(real.mailbox, real.settings);
    await rename(`${path}.old`, path);
    const late = Buffer.alloc(300, 'late ');
    await real.mailbox.file.write(late, second.length);
    assert.deepEqual(await recoverMailbox(real.mailbox, real.settings), { kind: 'finished' });
    assert.deepEqual(await real.content(), Buffer.concat([second, late]));
  });
});

test('a bulletin whose room was made is filled in, also if mail lies behind it', async () => {
  const bulletin = Buffer.from('From root\n\nread this\n\n');
  const late = Buffer.from('From late\n\nnew\n\n');
  await withMailbox(both, async (real) => {
    const failing = { ...real.mailbox, file: failingFrom(real.mailbox.file, { writes: 1 }) };
    await assert.rejects(appendMessages(failing, bulletin, real.settings), { state: 'pending' });
    await real.mailbox.file.write(late, both.length + bulletin.length);
    assert.deepEqual(await recoverMailbox(real.mailbox, real.settings), { kind: 'rolled forward' });
    assert.deepEqual(await real.content(), Buffer.concat([both, bulletin, late]));
  });
});

test('mail where the room of a bulletin would have begun is never overwritten', async () => {
  const bulletin = Buffer.from('From root\n\nread this\n\n');
  const late = Buffer.from('From late\n\nmuch longer than the bulletin ever was\n\n');
  await withMailbox(both, async (real) => {
    const failing = { ...real.mailbox, file: failingFrom(real.mailbox.file, { writes: 0 }) };
    await assert.rejects(appendMessages(failing, bulletin, real.settings), { state: 'pending' });
    await real.mailbox.file.write(late, both.length);
    assert.deepEqual(await recoverMailbox(real.mailbox, real.settings), { kind: 'finished' });
    assert.deepEqual(await real.content(), Buffer.concat([both, late]));
  });
});

test('pending journals are listed with their mailboxes; what cannot be read has none', async () => {
  await withMailbox(both, async (real) => {
    await breakCommit(real);
    await writeFile(join(real.settings.journalFolder, 'torn.j'), 'torn'.repeat(2000));
    await writeFile(join(real.settings.journalFolder, 'begun.j'), '');
    await writeFile(join(real.settings.journalFolder, 'index'), 'something else');
    const pending = await pendingJournals(realFiles, real.settings.journalFolder);
    assert.deepEqual(pending.map(({ mailboxPath }) => mailboxPath).toSorted(byText), [
      real.mailbox.path,
      undefined,
    ]);
  });
});

test('a link in the place of a journal is not followed', async () => {
  await withMailbox(both, async (real) => {
    const elsewhere = join(real.folder, 'elsewhere');
    await writeFile(elsewhere, 'precious');
    await symlink(elsewhere, journalPathOf(real.settings.journalFolder, real.mailbox.path));
    await assert.rejects(recoverMailbox(real.mailbox, real.settings), { state: 'pending' });
    assert.equal(await readFile(elsewhere, 'latin1'), 'precious');
    assert.deepEqual(await real.content(), both);
  });
});

/** Deletes the first message, and lets the mailbox fail when it is written for the second time. */
async function breakCommit({ mailbox, settings }: RealMailbox): Promise<void> {
  const failing = { ...mailbox, file: failingFrom(mailbox.file, { writes: 1 }) };
  const deleted = Float64Array.of(0, first.length);
  await assert.rejects(commitDeletions(failing, deleted, { ...settings, chunkOctets: 64 }), {
    state: 'pending',
  });
}

function fail(): never {
  throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
}

/** So many writes succeed, then nothing that changes the file does. */
function failingFrom(file: OpenFile, { writes }: { readonly writes: number }): OpenFile {
  let left = writes;
  return {
    ...file,
    write: async (source, position) => {
      left -= 1;
      await (left < 0 ? fail() : file.write(source, position));
    },
    truncate: async () => fail(),
    sync: async () => fail(),
  };
}

function bootedAs(bootId: string): Files {
  return { ...realFiles, bootId: async () => bootId };
}

function onAnotherDevice(file: OpenFile): OpenFile {
  return {
    ...file,
    stat: async (): Promise<FileStat> => {
      const stat = await file.stat();
      return { ...stat, dev: stat.dev + 1n };
    },
  };
}

function byText(one: string | undefined, other: string | undefined): number {
  return (one ?? '').localeCompare(other ?? '');
}
