import assert from 'node:assert/strict';
import { rm, utimes, writeFile } from 'node:fs/promises';
import { test } from 'node:test';

import { BoardSite, mboxOf } from './testing/board-site.ts';

const first = 'Subject: first\n\nhello\n';
const second = 'Subject: second\n\nhello again\n';
const none = '-ERR no such bboard';

test('a session on a board goes as RFC 1082 has it', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first, second]);
  await site.post('mh-users', ['BBoard-ID: 99\nSubject: x\n\ny\n', 'Subject: z\n\n']);
  const said = await site.afterLogin([
    'XTND BBOARDS',
    'XTND BBOARDS System',
    'STAT',
    'LIST',
    'UIDL',
    'RETR 1',
    'TOP 2 0',
    'XTND BBOARDS mh-users',
    'LIST 2',
    'QUIT',
  ]);
  assert.deepEqual(
    said,
    [
      ['+OK XTND', 'mh-users 100', 'system 2', '.'],
      ['+OK XTND', 'system 2', '.'],
      '+OK 2 57',
      ['+OK 2 messages (57 octets)', '1 25 1', '2 32 2', '.'],
      ['+OK unique-id listing follows', '1 system.1', '2 system.2', '.'],
      ['+OK 25 octets', 'Subject: first', '', 'hello', '.'],
      ['+OK top of message follows', 'Subject: second', '', '.'],
      ['+OK XTND', 'mh-users 100', '.'],
      '+OK 2 14 100',
      '+OK bye',
    ].flat(),
  );
  assert.deepEqual(site.openFiles(), []);
});

test('nothing is deleted from a board, whatever the client says', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first, second]);
  const lines = ['XTND BBOARDS system', 'DELE 1', 'LIST', 'XTND BBOARDS system', 'STAT', 'DELE 2', 'QUIT'];
  const said = await site.afterLogin(lines);
  assert.deepEqual(
    said.slice(3),
    [
      '+OK message 1 deleted',
      ['+OK 1 message (32 octets)', '2 32 2', '.'],
      ['+OK XTND', 'system 2', '.'],
      '+OK 2 57',
      '+OK message 2 deleted',
      '+OK bye',
    ].flat(),
  );
});

test('who enters a board has deleted what was marked, and comes back by his own name', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first]);
  const lines = ['DELE 1', 'XTND BBOARDS system', 'DELE 1', 'XTND BBOARDS mrose', 'LIST', 'UIDL 1', 'QUIT'];
  const said = await site.afterLogin(lines);
  assert.deepEqual(
    said.slice(5, 11),
    [
      ['+OK XTND', 'mrose 1', '.'],
      ['+OK 1 message (15 octets)', '1 15', '.'],
    ].flat(),
  );
  assert.deepEqual(
    site.opened.map((drop) => [drop.kept(), drop.closings]),
    [
      [['Subject: mine\r\n'], 1],
      [['Subject: mine\r\n'], 1],
    ],
  );
});

test('an archive is a board of its own behind the board of its name', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [second]);
  await site.post('system.archive', [first, first, first]);
  await site.post('bare', [second]);
  const said = await site.afterLogin([
    'XTND ARCHIVE SYSTEM',
    'LIST 3',
    'UIDL 3',
    'XTND ARCHIVE bare',
    'XTND ARCHIVE',
  ]);
  assert.deepEqual(
    said,
    [
      ['+OK XTND', 'system 3', '.'],
      '+OK 3 25 3',
      '+OK 3 system.archive.3',
      none,
      '-ERR usage: XTND ARCHIVE name',
    ].flat(),
  );
});

test('a message keeps its number when those before it are removed, and the log tells of a count that is none', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first, second]);
  await site.afterLogin(['XTND BBOARDS system']);
  await site.post('system', [second]);
  await writeFile(site.path('system.removed'), '1\n');
  const kept = ['+OK XTND', 'system 2', '.', '+OK 1 32 2', '+OK 1 system.2'];
  assert.deepEqual(await site.afterLogin(['XTND BBOARDS system', 'LIST 1', 'UIDL 1']), kept);
  await rm(site.path('system'));
  await site.post('system', []);
  await writeFile(site.path('system.removed'), '2');
  assert.deepEqual(await site.afterLogin(['XTND BBOARDS']), ['+OK XTND', 'system 2', '.']);
  await writeFile(site.path('system.removed'), 'two');
  const said = await site.afterLogin(['XTND BBOARDS', 'XTND BBOARDS system']);
  assert.deepEqual(said.slice(0, 2), ['+OK XTND', '.']);
  assert.match(said[2] ?? '', /^-ERR \[SYS\/TEMP\]/);
  assert.match(
    JSON.stringify(site.server.log.map(({ fields }) => String(fields['error']))),
    /system\.removed: expected/,
  );
});

test('mail that is posted is there for those who enter then, and not for those who are in', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first]);
  const client = async function* () {
    yield 'XTND BBOARDS system';
    await site.append('system', second);
    yield* ['STAT', 'RETR 2', 'XTND BBOARDS', 'XTND BBOARDS system', 'STAT'];
  };
  const said = await site.afterLogin(client());
  assert.deepEqual(
    said.slice(3),
    [
      '+OK 1 25',
      '-ERR there is no message 2',
      ['+OK XTND', 'system 2', '.'],
      ['+OK XTND', 'system 2', '.'],
      '+OK 2 57',
    ].flat(),
  );
});

test('X-BBOARDS tells all that is known of a board, in 14 lines, and stays where the client is', async (t) => {
  const site = await BoardSite.make(t, {
    boards: {
      system: {
        aliases: ['sys', 'news'],
        leaders: ['root', 'mrose'],
        address: 'system@example.org',
        request: 'system-request@example.org',
        incomingFeed: 'feed.example.org',
        outgoingFeeds: ['a.example.org', 'b.example.org'],
      },
    },
  });
  await site.post('System', [first, second]);
  await site.post('System.archive', [first]);
  await site.post('bare', []);
  await utimes(site.path('System'), 700_000_000, 700_000_000);
  await utimes(site.path('bare'), 700_000_000, 700_000_000);
  const said = await site.afterLogin([
    'XTND X-BBOARDS News',
    'XTND X-BBOARDS bare',
    'XTND BBOARDS sys',
    'UIDL 1',
  ]);
  const date = 'Sat, 07 Mar 1992 20:26:40 GMT';
  assert.deepEqual(
    said,
    [
      ['+OK XTND', 'System', 'sys news', 'System', 'System.archive', '', '', '', 'root mrose'],
      ['system@example.org', 'system-request@example.org', 'feed.example.org', 'a.example.org b.example.org'],
      ['0 2', date, '.'],
      ['+OK XTND', 'bare', '', 'bare', '', '', '', '', '', '', '', '', '', '0 0', date, '.'],
      ['+OK XTND', 'System 2', '.', '+OK 1 System.1'],
    ].flat(),
  );
});

test('a board of 100,000 messages does not keep others waiting while it is looked through', async (t) => {
  const site = await BoardSite.make(t);
  const body = `${'x'.repeat(70)}\n`.repeat(6);
  await writeFile(
    site.path('big'),
    mboxOf(...Array.from({ length: 100_000 }, () => `Subject: n\n\n${body}`)),
  );
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const said = await site.afterLogin(['XTND BBOARDS big', 'LIST 100000']);
  isOver = true;
  assert.deepEqual(said, ['+OK XTND', 'big 100000', '.', '+OK 100000 446 100000']);
  assert.ok(turns > 45, `${turns} turns`);
});

test('nobody reads a board before the login, and CAPA does not tell of them', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first]);
  const said = await site.server.converse(['XTND BBOARDS', 'XTND BBOARDS system', 'CAPA', 'QUIT']);
  assert.match(said.slice(1, 3).join('\n'), /^-ERR .*\n-ERR /);
  assert.deepEqual(
    said.filter((line) => line.startsWith('XTND')),
    [],
  );
});
