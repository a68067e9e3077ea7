import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryMaildrop, memoryHost, testPlugin, TestServer } from '../testing.ts';
import { type SpoolLock, type SpoolLockAttempt, type SpoolLockKind, SpoolLockTable } from './spool-locks.ts';

const lock: SpoolLock = { refresh: async () => {}, release: async () => 'released' };

/** Locks of a process that may make them itself. */
const kind = (attempt: SpoolLockAttempt = lock): SpoolLockKind => ({
  name: 'dotlock',
  rootOf: () => '/var/mail/',
  tryLock: async () => attempt,
  resume: async () => undefined,
  clear: async () => {},
});

test('a store in a process that may make locks makes them itself', async () => {
  const table = new SpoolLockTable();
  assert.equal(table.isUsed, false);
  const locks = table.add(kind(), 'store');
  assert.equal(table.isUsed, true);
  assert.equal(await locks.tryLock('/var/mail/mrose'), lock);
});

test('a store in a process that may not gets them from the locker, and makes what the locker may not', async () => {
  const table = new SpoolLockTable();
  const own: SpoolLock = { ...lock };
  const locks = table.add(kind(own), 'store');
  const asked: string[] = [];
  let says: SpoolLockAttempt = lock;
  table.takenBy({
    async tryLock(name, path) {
      asked.push(`${name} ${path}`);
      return says;
    },
  });
  assert.equal(await locks.tryLock('/var/mail/mrose'), lock);
  assert.deepEqual(asked, ['dotlock /var/mail/mrose']);
  for (const answer of ['busy', 'missing'] as const) {
    says = answer;
    assert.equal(await locks.tryLock('/var/mail/mrose'), answer);
  }
  says = 'forbidden';
  assert.equal(await locks.tryLock('/var/mail/mrose'), own);
});

test('two stores cannot have one name for their locks', async () => {
  const plugins = ['one', 'other'].map((name) =>
    testPlugin(name, ({ spoolLocks }) => void spoolLocks.add(kind())),
  );
  assert.throws(
    () => new TestServer([memoryHost(memoryMaildrop([])), ...plugins]),
    /other: the kind of spool lock dotlock belongs to one already/,
  );
});
