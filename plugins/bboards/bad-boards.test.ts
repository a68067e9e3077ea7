import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, open, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';

import { lockFile } from 'popperd';

import { BoardSite, mboxOf } from './testing/board-site.ts';

const first = 'Subject: first\n\nhello\n';
const second = 'Subject: second\n\nhello again\n';
const none = '-ERR no such bboard';

test('a name that is none, or leads elsewhere, enters nothing, and the client stays where it is', async (t) => {
  const site = await BoardSite.make(t);
  await writeFile(`${site.folder}/secret`, mboxOf(first));
  await site.post('x.lock', [first]);
  await site.post('system', [first]);
  const names = [
    'nobody',
    '../secret',
    '..',
    '.',
    'x.lock',
    'system.archive',
    'system/',
    'a'.repeat(200),
    '\\0',
  ];
  const lines = names.flatMap((name) => [
    `XTND BBOARDS ${name}`,
    `XTND ARCHIVE ${name}`,
    `XTND X-BBOARDS ${name}`,
  ]);
  const said = await site.afterLogin(['DELE 1', ...lines, 'LIST 2', 'QUIT']);
  assert.deepEqual(
    said.slice(1, -2),
    lines.map(() => none),
  );
  assert.equal(said.at(-2), '+OK 2 15');
  assert.deepEqual([site.opened.length, site.opened[0]?.kept()], [1, ['Subject: mine\r\n']]);
});

test('a pipe, a folder and a link to nowhere are no bboards, and nobody waits for them', async (t) => {
  const site = await BoardSite.make(t);
  execFileSync('mkfifo', [site.path('pipe')]);
  await mkdir(site.path('folder'));
  await symlink('/nonexistent', site.path('link'));
  const said = await site.afterLogin([
    'XTND BBOARDS pipe',
    'XTND BBOARDS folder',
    'XTND BBOARDS link',
    'XTND BBOARDS',
  ]);
  assert.deepEqual(said, [none, none, none, '+OK XTND', '.']);
});

test('a bboard that the user may not read is refused, and listed to nobody', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('staff', [first], 0o640);
  await site.post('all', [first]);
  const said = await site.afterLogin(['XTND BBOARDS staff', 'XTND X-BBOARDS staff', 'XTND BBOARDS']);
  const refused = '-ERR [SYS/PERM] this bboard is not open to you';
  assert.deepEqual(said, [refused, refused, '+OK XTND', 'all 1', '.']);
});

test('a message is not given whose board was cut short behind it, and the others are', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first, second]);
  const client = async function* () {
    yield 'XTND BBOARDS system';
    yield 'RETR 2';
    await truncate(site.path('system'), 90);
    yield* ['RETR 2', 'TOP 2 0', 'RETR 1', 'LIST 2', 'QUIT'];
  };
  const said = await site.afterLogin(client());
  const changed = '-ERR [SYS/TEMP] the bboard has changed, enter it again';
  assert.deepEqual(said.slice(7, 11), ['.', changed, changed, '+OK 25 octets']);
  assert.deepEqual(said.slice(-2), ['+OK 2 32 2', '+OK bye']);
  const logged = site.server.log.find(({ message }) => message.includes('the bboard has changed'));
  assert.match(String(logged?.fields['error']), /boards\/system was changed while it was open/);
});

test('what is no longer the message that was listed is not given, in a board that was rewritten in its place', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first, second]);
  const client = async function* () {
    yield 'XTND BBOARDS system';
    await site.post('system', [second, second, second]);
    yield* ['RETR 2', 'XTND BBOARDS system', 'RETR 2', 'QUIT'];
  };
  const said = await site.afterLogin(client());
  assert.equal(said[3], '-ERR [SYS/TEMP] the bboard has changed, enter it again');
  assert.deepEqual(said.slice(4, 8), ['+OK XTND', 'system 3', '.', '+OK 32 octets']);
});

test('a message that is cut off in its middle while it is sent does not end as if it were whole', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [`${'x'.repeat(60)}\n`.repeat(10_000)]);
  const client = async function* () {
    yield 'XTND BBOARDS system';
    await truncate(site.path('system'), 100_000);
    yield* ['RETR 1', 'QUIT'];
  };
  const said = await site.afterLogin(client());
  assert.equal(said[3], '+OK 620000 octets');
  assert.ok(!said.slice(4).includes('.'));
});

test('another file under the same name changes nothing for those who read the first', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first]);
  const client = async function* () {
    yield 'XTND BBOARDS system';
    await site.post('new', [second, second, second]);
    await rename(site.path('new'), site.path('system'));
    yield* ['STAT', 'RETR 1', 'XTND BBOARDS system', 'STAT'];
  };
  const said = await site.afterLogin(client());
  assert.deepEqual(said.slice(3), [
    '+OK 1 25',
    '+OK 25 octets',
    'Subject: first',
    '',
    'hello',
    '.',
    '+OK XTND',
    'system 3',
    '.',
    '+OK 3 96',
  ]);
});

test('a client that leaves in the middle of a message of a board leaves no file open', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [`${'x'.repeat(70)}\n`.repeat(20_000)]);
  const client = ['USER mrose', 'PASS secret', 'XTND BBOARDS system', 'RETR 1'];
  await site.server.record(client, { afterSentOctets: 50_000 });
  assert.deepEqual(site.openFiles(), []);
});

test('a board that another program has locked is not looked at half written', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first]);
  const writer = await open(site.path('system'), 'r+');
  t.after(() => writer.close());
  assert.ok(lockFile(writer.fd, 'exclusive'));
  const said = await site.afterLogin(['XTND BBOARDS system', 'STAT']);
  assert.deepEqual(said, ['-ERR [SYS/TEMP] the bboard is being written to, try again', '+OK 2 29']);
});

test('a folder that is gone costs an answer, and the log names it', async (t) => {
  const site = await BoardSite.make(t, { folder: 'gone' });
  const said = await site.afterLogin(['XTND BBOARDS', 'XTND BBOARDS system', 'STAT']);
  const failed = '-ERR [SYS/TEMP] the bboards cannot be read now, try again later';
  assert.deepEqual(said, [failed, failed, '+OK 2 29']);
  assert.match(JSON.stringify(site.server.log.map(({ fields }) => String(fields['error']))), /ENOENT.*gone/);
});

test('a pipe that says how many messages were removed keeps nobody waiting, and the log names it', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [first]);
  execFileSync('mkfifo', [site.path('system.removed')]);
  const said = await site.afterLogin(['XTND BBOARDS system', 'XTND BBOARDS', 'STAT']);
  const failed = '-ERR [SYS/TEMP] the bboards cannot be read now, try again later';
  assert.deepEqual(said, [failed, '+OK XTND', '.', '+OK 2 29']);
  assert.match(
    JSON.stringify(site.server.log.map(({ fields }) => String(fields['error']))),
    /system\.removed/,
  );
});
