import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';

import { appendMessages } from './append.ts';
import { commitDeletions } from './commit.ts';
import { CommitError } from './errors.ts';
import type { Files, OpenFile } from './files.ts';
import { journalPathOf } from './journal.ts';
import { pendingJournals } from './pending.ts';
import { realFiles } from './real-files.ts';
import { recoverMailbox } from './recover.ts';
import { withMailbox } from './testing/real-mailbox.ts';

const messages = Array.from({ length: 200 }, (_, index) =>
  Buffer.from(`From user${index} Thu Jan  1\n\n${`line ${index}\n`.repeat(index % 17)}\n`),
);

const patterns: readonly (readonly [string, (index: number) => boolean])[] = [
  ['nothing', () => false],
  ['the first message', (index) => index === 0],
  ['the last message', (index) => index === 199],
  ['every second message', (index) => index % 2 === 1],
  ['all messages', () => true],
  ['all but the first', (index) => index > 0],
  ['some in the middle', (index) => index > 90 && index < 100],
];

for (const [title, isDeleted] of patterns) {
  test(`a user deletes ${title} and keeps the rest, octet for octet`, async () => {
    for (const chunkOctets of [100, 4096, 4 * 1024 * 1024]) {
      await withMailbox(Buffer.concat(messages), async ({ mailbox, settings, content }) => {
        const result = await commitDeletions(mailbox, edgesOf(isDeleted), { ...settings, chunkOctets });
        const kept = Buffer.concat(messages.filter((_, index) => !isDeleted(index)));
        assert.deepEqual(await content(), kept);
        assert.deepEqual(result, {
          mailboxOctets: kept.length,
          formerOctets: Buffer.concat(messages).length,
          leftover: undefined,
        });
        assert.deepEqual(await pendingJournals(realFiles, settings.journalFolder), []);
      });
    }
  });
}

test('mail that came behind the last listed message stays', async () => {
  const late = Buffer.from('From late\n\nnew\n\n');
  await withMailbox(Buffer.concat([...messages, late]), async ({ mailbox, settings, content }) => {
    await commitDeletions(
      mailbox,
      edgesOf(() => true),
      settings,
    );
    assert.deepEqual(await content(), late);
  });
});

test('half a million messages out of a million leave the other half, with a small journal in little memory', async () => {
  const count = 1_000_000;
  const edges = new Float64Array(count);
  for (let edge = 0; edge < count; edge += 2) edges.set([edge * 8, edge * 8 + 8], edge);
  const numbered = Buffer.from(
    Array.from({ length: count }, (_, index) => String(index).padStart(8, '0')).join(''),
  );
  await withMailbox(numbered, async ({ mailbox, settings, content }) => {
    await commitDeletions(mailbox, edges, { ...settings, chunkOctets: 1024 * 1024 });
    const kept = await content();
    assert.equal(kept.length, count * 4);
    for (let index = 0; index < count / 2; index += 9973) {
      assert.equal(kept.toString('latin1', index * 8, index * 8 + 8), String(index * 2 + 1).padStart(8, '0'));
    }
  });
});

test('ranges that are not in order, empty, or outside touch nothing', async () => {
  for (const edges of [[5], [5, 3], [3, 3], [0, 10, 5, 20], [-1, 4], [0, 1e9], [0.5, 2], [Number.NaN, 2]]) {
    await withMailbox(Buffer.concat(messages), async ({ mailbox, settings, content }) => {
      await assert.rejects(commitDeletions(mailbox, Float64Array.from(edges), settings), {
        name: 'CommitError',
        state: 'untouched',
      });
      assert.deepEqual(await content(), Buffer.concat(messages));
    });
  }
});

test('a mailbox with a pending journal takes no writes until it is recovered', async () => {
  await withMailbox(Buffer.concat(messages), async ({ mailbox, settings, content }) => {
    await writeFile(journalPathOf(settings.journalFolder, mailbox.path), 'torn'.repeat(2000));
    const first = edgesOf((index) => index === 0);
    await assert.rejects(commitDeletions(mailbox, first, settings), { state: 'untouched' });
    const all = edgesOf(() => true);
    await assert.rejects(commitDeletions(mailbox, all, settings), { state: 'untouched' });
    await assert.rejects(appendMessages(mailbox, Buffer.from('From x\n\n'), settings), {
      state: 'untouched',
    });
    assert.deepEqual(await content(), Buffer.concat(messages));
    assert.deepEqual(await recoverMailbox(mailbox, settings), { kind: 'discarded' });
    await commitDeletions(mailbox, first, settings);
    assert.deepEqual(await content(), Buffer.concat(messages.slice(1)));
  });
});

test('a journal that is done is used again by the next commit, and what is not quite one is replaced', async () => {
  await withMailbox(Buffer.concat(messages), async ({ mailbox, settings, content }) => {
    const path = journalPathOf(settings.journalFolder, mailbox.path);
    const points: string[] = [];
    const files: Files = {
      ...realFiles,
      syncFolder: async (folder, point) => {
        points.push(point);
        await realFiles.syncFolder(folder, point);
      },
    };
    const deleteFirst = async (count: number): Promise<void> => {
      const end = Buffer.concat(messages.slice(0, count)).length;
      const start = Buffer.concat(messages.slice(0, count - 1)).length;
      await commitDeletions(mailbox, Float64Array.of(0, end - start), { ...settings, files });
      assert.deepEqual(await content(), Buffer.concat(messages.slice(count)));
    };
    await deleteFirst(1);
    assert.equal(points.length, 1, 'the name of a new journal was not made durable');
    const ino = (await realFiles.lstat(path))?.ino;
    await deleteFirst(2);
    assert.equal((await realFiles.lstat(path))?.ino, ino);
    assert.equal((await realFiles.lstat(path))?.octets, 4096);
    assert.equal(points.length, 1);
    // What a process leaves that died before its first record: nobody made its name durable.
    await writeFile(path, '');
    await deleteFirst(3);
    assert.equal(points.length, 2);
  });
});

test('a bulletin is appended once and leaves nothing to do', async () => {
  await withMailbox(Buffer.concat(messages), async ({ mailbox, settings, content }) => {
    const bulletin = Buffer.from('From root\n\nread this\n\n');
    const result = await appendMessages(mailbox, bulletin, settings);
    assert.deepEqual(await content(), Buffer.concat([...messages, bulletin]));
    assert.equal(result.mailboxOctets, result.formerOctets + bulletin.length);
    await appendMessages(mailbox, Buffer.alloc(0), settings);
    assert.equal((await content()).length, result.mailboxOctets);
    assert.deepEqual(await pendingJournals(realFiles, settings.journalFolder), []);
  });
});

test('an append never overwrites mail that comes at the same time, and gives up if it never ends', async () => {
  const foreign = Buffer.from('From other\n\nhi\n\n');
  for (const [arrivals, state] of [
    [3, undefined],
    [99, 'untouched'],
  ] as const) {
    await withMailbox(Buffer.concat(messages), async ({ mailbox, settings, content }) => {
      let left: number = arrivals;
      const files = beforeFolderSync(async () => {
        if (left > 0) await mailbox.file.write(foreign, (await mailbox.file.stat()).octets);
        left -= 1;
      });
      const bulletin = Buffer.from('From root\n\nread this\n\n');
      const append = appendMessages(mailbox, bulletin, { ...settings, files });
      if (state === undefined) await append;
      else await assert.rejects(append, { state });
      const arrived = Array.from({ length: arrivals - Math.max(left, 0) }, () => foreign);
      const expected = state === undefined ? [...messages, ...arrived, bulletin] : [...messages, ...arrived];
      assert.deepEqual(await content(), Buffer.concat(expected));
    });
  }
});

test('fsync "never" waits for nothing, "always" for one thing more than "commit"', async () => {
  const counts: Record<string, number> = {};
  for (const fsync of ['never', 'commit', 'always'] as const) {
    let count = 0;
    const files = countingSyncs(() => (count += 1));
    await withMailbox(
      Buffer.concat(messages),
      async ({ mailbox, settings }) => {
        await commitDeletions(
          mailbox,
          edgesOf((index) => index === 0),
          { ...settings, fsync },
        );
      },
      files,
    );
    counts[fsync] = count;
  }
  // First record and its folder, the chunk, the cut.
  assert.deepEqual(counts, { never: 0, commit: 4, always: 5 });
});

test('the error for the log names the mailbox and keeps the cause; journals are for their owner only', async () => {
  await withMailbox(Buffer.concat(messages), async ({ mailbox, settings }) => {
    let mode: number | undefined;
    const files: Files = {
      ...realFiles,
      syncFolder: async () => {
        mode = (await realFiles.lstat(journalPathOf(settings.journalFolder, mailbox.path)))?.mode;
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      },
    };
    const commit = commitDeletions(
      mailbox,
      edgesOf((index) => index === 0),
      { ...settings, files },
    );
    const error = await commit.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof CommitError);
    assert.equal(error.message, `${mailbox.path}: nothing was changed`);
    assert.match(String(error.cause), /EIO/);
    assert.equal(mode, 0o600);
  });
});

function edgesOf(isDeleted: (index: number) => boolean): Float64Array {
  const edges: number[] = [];
  let start = 0;
  for (const [index, { length }] of messages.entries()) {
    if (isDeleted(index)) edges.push(start, start + length);
    start += length;
  }
  return Float64Array.from(edges);
}

function beforeFolderSync(act: () => Promise<void>): Files {
  return {
    ...realFiles,
    syncFolder: async (path, point) => {
      await act();
      await realFiles.syncFolder(path, point);
    },
  };
}

function countingSyncs(count: () => void): Files {
  const counted = (file: OpenFile): OpenFile => ({
    ...file,
    sync: async (point) => {
      count();
      await file.sync(point);
    },
    dataSync: async (point) => {
      count();
      await file.dataSync(point);
    },
  });
  return {
    ...realFiles,
    open: async (path, mode) => counted(await realFiles.open(path, mode)),
    syncFolder: async (path, point) => {
      count();
      await realFiles.syncFolder(path, point);
    },
  };
}
