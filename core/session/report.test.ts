import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Failure, type Maildrop, PartlyRemoved, type SessionReport } from 'popperd';
import { memoryHost, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

const login = ['USER mrose', 'PASS secret'];
const texts = ['a\r\n', 'bb\r\n', '.ccc\r\n'];

/** What a plugin that wraps a maildrop hands through. */
const drop = (inner: Maildrop): Maildrop => ({
  count: inner.count,
  totalOctets: inner.totalOctets,
  octetsOf: (index) => inner.octetsOf(index),
  uidOf: (index) => inner.uidOf(index),
  read: (index, signal) => inner.read(index, signal),
  commit: (deleted) => inner.commit(deleted),
  close: () => inner.close(),
});

async function reportOf(lines: readonly string[]): Promise<SessionReport> {
  const { reports } = await new TestServer([memoryHost(memoryMaildrop(texts))]).record(lines);
  const [report] = reports;
  assert.ok(report !== undefined && reports.length === 1);
  return report;
}

test('a session that retrieves and deletes is reported with what it did', async () => {
  const { user, ending, retrieved, deleted, left, received, sent } = await reportOf([
    ...login,
    'RETR 3',
    'RETR 1',
    'DELE 1',
    'QUIT',
  ]);
  assert.deepEqual(
    { user, ending, retrieved, deleted, left },
    {
      user: 'mrose',
      ending: 'quit',
      retrieved: { messages: 2, octets: 9 },
      deleted: { messages: 1, octets: 3 },
      left: { messages: 2, octets: 10 },
    },
  );
  assert.equal(received, 'USER mrose  PASS secret  RETR 3  RETR 1  DELE 1  QUIT  '.length);
  assert.ok(sent > 100);
});

test('what TOP sent is reported apart from what was retrieved', async () => {
  const { retrieved, top } = await reportOf([...login, 'TOP 3 0', 'TOP 2 9', 'TOP 7 1', 'RETR 1', 'QUIT']);
  assert.deepEqual(
    { retrieved, top },
    { retrieved: { messages: 1, octets: 3 }, top: { messages: 2, octets: 10 } },
  );
});

test('what a session took is reported by its parts, none of them longer than all of it', async () => {
  const slow = testPlugin('slow', ({ hooks }) => {
    hooks.maildrop.tapPromise('slow', async (inner) => (await delay(30), drop(inner)));
    hooks.commit.tapPromise('slow', () => delay(20));
  });
  const server = new TestServer([memoryHost(memoryMaildrop(texts)), slow]);
  const { reports } = await server.record([...login, 'DELE 1', 'QUIT']);
  const { loginMs = -1, openMs = -1, updateMs = -1, durationMs = -1 } = reports[0] ?? {};
  assert.ok(loginMs >= 0 && openMs >= 25 && updateMs >= 15, `${loginMs} ${openMs} ${updateMs}`);
  assert.ok(loginMs + openMs + updateMs <= durationMs + 3);
  const { loginMs: none, openMs: never } = await reportOf(['QUIT']);
  assert.deepEqual([none, never], [undefined, 0]);
});

test('a session that leaves is reported as having deleted nothing', async () => {
  const { ending, deleted, left } = await reportOf([...login, 'DELE 1']);
  assert.deepEqual(
    { ending, deleted, left },
    { ending: 'disconnected', deleted: { messages: 0, octets: 0 }, left: { messages: 3, octets: 13 } },
  );
});

test('a session whose store could remove one of two is reported with that one', async () => {
  const maildrop = memoryMaildrop(texts);
  const halfway = testPlugin('halfway', ({ hooks }) =>
    hooks.maildrop.tapPromise('halfway', async () => ({
      ...drop(maildrop),
      commit: async () => {
        const removed = { messages: 1, octets: 4 };
        throw new PartlyRemoved('1 of 2 messages not removed', { code: 'SYS/TEMP', removed });
      },
    })),
  );
  const server = new TestServer([memoryHost(maildrop), halfway]);
  const { said, reports } = await server.record([...login, 'DELE 1', 'DELE 2', 'QUIT']);
  assert.equal(said.at(-1), '-ERR [SYS/TEMP] 1 of 2 messages not removed');
  const [report] = reports;
  assert.equal(report?.ending, 'failed');
  assert.deepEqual(report.deleted, { messages: 1, octets: 4 });
  assert.deepEqual(report.left, { messages: 2, octets: 9 });
});

test('a client that never logs in is reported without a user', async () => {
  const { user, ending } = await reportOf(['USER mrose', 'QUIT']);
  assert.deepEqual({ user, ending }, { user: undefined, ending: 'quit' });
});

test('a client that may not come in hears why, and is reported as refused', async () => {
  const doorman = testPlugin('doorman', ({ hooks }) => {
    hooks.connect.tapPromise('doorman', async () => ({ text: 'not from there', code: 'SYS/PERM' }));
    hooks.connect.tapPromise('never asked', async () => assert.fail('the first refusal wins'));
  });
  const { said, reports } = await new TestServer([doorman]).record(['USER mrose']);
  assert.deepEqual(said, ['-ERR [SYS/PERM] not from there']);
  assert.equal(reports[0]?.ending, 'refused');
});

test('a preface that says who the client is opens the maildrop with no greeting and no password', async () => {
  const ticketed = testPlugin('ticketed', ({ hooks }) =>
    hooks.preface.tapPromise('ticketed', async (channel) => {
      const octets = await channel.readOctets();
      if (String(octets).trim() !== 'ticket') return { text: 'no ticket' };
      return { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };
    }),
  );
  const server = new TestServer([ticketed, memoryHost(memoryMaildrop(texts))]);
  assert.deepEqual(await server.converse(['ticket', 'STAT']), [
    '+OK maildrop has 3 messages (13 octets)',
    '+OK 3 13',
  ]);
  assert.deepEqual(await server.converse(['hello', 'STAT']), ['-ERR no ticket']);
});

test('a report that a plugin cannot take is in the log, and others get it all the same', async () => {
  const heard: string[] = [];
  const plugins = ['broken', 'good'].map((name) =>
    testPlugin(name, ({ hooks }) =>
      hooks.sessionEnd.tapPromise(name, async ({ ending }) => {
        if (name === 'broken') throw new Error('disk full');
        heard.push(ending);
      }),
    ),
  );
  const server = new TestServer(plugins);
  await server.converse(['QUIT']);
  assert.deepEqual(heard, ['quit']);
  assert.ok(
    server.log.some(({ fields }) =>
      /plugin broken, hook sessionEnd: disk full/.test(String(fields['error'])),
    ),
  );
});

test('a maildrop that cannot be opened is reported with the code that the client got and the cause that it did not', async () => {
  const cause = new Error('/var/mail/mrose: belongs to uid 5001');
  const failures = [
    new Failure('the maildrop cannot be opened', { code: 'SYS/PERM', cause }),
    new Failure('the maildrop is in use by another session', { code: 'IN-USE' }),
    new Error('out of memory'),
  ];
  const reported = await Promise.all(
    failures.map(async (failure) => {
      const host = memoryHost(async () => Promise.reject(failure));
      const { reports } = await new TestServer([host]).record(login);
      return reports[0]?.failure;
    }),
  );
  assert.deepEqual(reported, [
    { code: 'SYS/PERM', reason: 'the maildrop cannot be opened: /var/mail/mrose: belongs to uid 5001' },
    { code: 'IN-USE', reason: 'the maildrop is in use by another session' },
    { code: undefined, reason: 'plugin memory-host, hook openMaildrop: out of memory' },
  ]);
});
