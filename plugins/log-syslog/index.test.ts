import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import type { Logger } from 'popperd';
import { memoryHost, memoryMaildrop, testPlugin, TestServer, type TestServerOptions } from 'popperd/testing';

import logSyslog from './index.ts';
import { DatagramReceiver } from './testing/datagram-receiver.ts';
import { StreamReceiver } from './testing/stream-receiver.ts';
import { until } from './testing/until.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-log-syslog-'));
after(() => rm(folder, { recursive: true }));

type Options = Parameters<typeof logSyslog>[0];

/** A started server that logs there, and a logger whose records come from a plugin. */
async function serverWith(options: Options, more: TestServerOptions = {}) {
  const loggers: Logger[] = [];
  const talker = testPlugin('talker', ({ log }) => void loggers.push(log));
  const host = memoryHost(memoryMaildrop(['Subject: one\r\n\r\n']));
  const server = new TestServer([host, talker, logSyslog(options)], more);
  await server.start();
  const [log] = loggers;
  assert.ok(log);
  return { server, log };
}

/** What came, without the time and the process. */
const textsOf = ({ received }: DatagramReceiver): readonly string[] =>
  received.map((text) => text.replace(/(?<=^<\d+>).{15} (\w+)\[\d+\]/, '$1'));

test('a syslog that does not read holds no session up, and what it has missed is counted', async (t) => {
  const to = join(folder, 'deaf');
  const reader = await DatagramReceiver.open(to, 2);
  t.after(() => reader.close());
  const { server, log } = await serverWith({ to, queueRecords: 10, level: 'debug' });
  for (let sent = 0; sent < 500; sent += 1) log.info('x'.repeat(400));
  const replies = await server.converse(['USER mrose', 'PASS secret', 'QUIT']);
  assert.match(replies.at(-1) ?? '', /^\+OK/);
  await reader.hears(/: \d+ records were dropped$/);
  const [, dropped] = /popper: (\d+) records were dropped/.exec(textsOf(reader).join('\n')) ?? [];
  const told = reader.received.filter((text) => /xxx|connected|logged in|session /.test(text));
  assert.equal(told.length + Number(dropped), 503);
  await server.stop();
});

test('a syslog that is not there is told of once, in the log that there is, and gets what waits when it comes', async (t) => {
  const to = join(folder, 'late');
  const { server, log } = await serverWith({ to });
  log.warn('one');
  log.warn('two');
  const toldOf = (message: string) => server.log.filter((record) => record.message === message);
  await until(() => toldOf('syslog cannot be reached').length > 0);
  const reader = await DatagramReceiver.open(to);
  t.after(() => reader.close());
  await reader.hears(/two$/);
  await until(() => toldOf('syslog is reached again').length > 0);
  await server.stop();
  assert.deepEqual(textsOf(reader).slice(0, 2), ['<132>popper: one', '<132>popper: two']);
  assert.equal(toldOf('syslog cannot be reached').length, 1);
  const { fields } = toldOf('syslog cannot be reached')[0] ?? {};
  assert.deepEqual([fields?.['plugin'], fields?.['to']], ['log-syslog', to]);
});

test('a stop sends what waits, and says how much of it could not be sent', async (t) => {
  const to = join(folder, 'stopped');
  const reader = await DatagramReceiver.open(to);
  t.after(() => reader.close());
  const { server, log } = await serverWith({ to });
  for (let number = 1; number <= 50; number += 1) log.info(`record ${number}`);
  await server.stop();
  await reader.hears(/record 50$/);
  assert.equal(reader.received.length, 50);

  const nobody = await serverWith({ to: join(folder, 'nobody'), stopTimeoutMs: 20 });
  nobody.log.info('lost');
  await nobody.server.stop();
  const { fields } = nobody.server.log.find(({ message }) => message.startsWith('records have not')) ?? {};
  assert.ok(Number(fields?.['records']) >= 1);
});

test('a record has its level, its facility and its fields, and what is below the level stays away', async (t) => {
  const to = join(folder, 'levels');
  const reader = await DatagramReceiver.open(to);
  t.after(() => reader.close());
  const { server, log } = await serverWith({ to, facility: 'mail', tag: 'pop3' });
  log.debug('no');
  log.info('a notice', { user: 'mrose' });
  log.warn('a warning');
  log.error('an error', { error: new Error('no answer') });
  await server.stop();
  await reader.hears(/an error/);
  assert.deepEqual(textsOf(reader), [
    '<21>pop3: a notice plugin=talker user=mrose',
    '<20>pop3: a warning',
    '<19>pop3: an error plugin=talker error.name=Error error.message="no answer"',
  ]);
});

// The classic popper's list of log lines, 1.5 and 1.13: facility local0, priority notice.
test('in the classic style a line is what the classic wrote, and nothing stands behind it', async (t) => {
  const to = join(folder, 'classic');
  const reader = await DatagramReceiver.open(to);
  t.after(() => reader.close());
  const { server } = await serverWith({ to, level: 'debug' }, { settings: { logStyle: 'classic' } });
  await server.converse(['USER mrose', 'PASS wrong', 'QUIT']);
  await server.stop();
  await reader.hears(/Ending request/);
  assert.deepEqual(
    textsOf(reader).map((text) => text.replace(/\(v[^)]*\)/, '(vV)')),
    [
      '<135>popper: (vV) Servicing request from "192.0.2.1" at 192.0.2.1',
      '<135>popper: Received (10): "USER mrose"',
      '<135>popper: Received (14): "PASS xxxxxxxxx"',
      '<132>popper: Failed attempted login to mrose from host 192.0.2.1',
      '<133>popper: [AUTH] login refused',
      '<135>popper: Received (4): "QUIT"',
      '<135>popper: (vV) Ending request from "192.0.2.1" at 192.0.2.1',
    ],
  );
});

test('a host gets the fields as structured data', async (t) => {
  const receiver = await StreamReceiver.start();
  t.after(() => receiver.stop());
  const { server, log } = await serverWith({ to: `tcp://127.0.0.1:${receiver.port}` });
  log.info('a notice', { user: 'mrose' });
  await server.stop();
  await until(() => receiver.received.length === 1);
  assert.match(
    receiver.received[0] ?? '',
    / popper \d+ - \[popper@32473 plugin="talker" user="mrose"\] a notice$/,
  );
});

/** What `popper check` finds. */
async function findingOf(options: Options) {
  const [finding] = await new TestServer([logSyslog(options)]).check();
  return [finding?.kind, finding?.what];
}

test('popper check says whether a syslog is there', async (t) => {
  const to = join(folder, 'checked');
  const [kind, what] = await findingOf({ to });
  assert.equal(kind, 'problem');
  assert.match(String(what), /^no syslog at .*checked: ENOENT/);
  const reader = await DatagramReceiver.open(to);
  t.after(() => reader.close());
  assert.deepEqual(await findingOf({ to }), ['fine', `syslog is at ${to}`]);
});

const problemsOf = (options: Options): string =>
  logSyslog(options)
    .problems.map(({ message }) => message)
    .join();

test('certificates that cannot be read keep the daemon from starting, and it says which file', async () => {
  const missing = new TestServer([logSyslog({ to: 'tls://loghost', ca: 'missing.pem' })], {
    baseFolder: folder,
  });
  await assert.rejects(missing.start(), /ca: .*missing\.pem cannot be read/);
  await writeFile(join(folder, 'ca.pem'), '');
  assert.match(
    problemsOf({ ca: 'ca.pem' }),
    /belongs to a receiver with TLS: expected tls:\/\/ in the option to/,
  );
  assert.match(problemsOf({ to: 'loghost' }), /expected a path such as "\/dev\/log", or "udp:/);
  assert.match(problemsOf({ tag: 'two words' }), /expected 1 to 32 letters/);
});

test('an operator is told of certificates that users could not read, whose processes do with isolation: user', async () => {
  const ca = join(folder, 'own.pem');
  await writeFile(ca, '');
  await chmod(ca, 0o600);
  const server = new TestServer([logSyslog({ to: 'tls://127.0.0.1:1', ca })]);
  const warnings = async () => (await server.check()).filter(({ kind }) => kind === 'warning');
  const [warning] = await warnings();
  assert.match(warning?.what ?? '', /^not everybody may read .*own\.pem, .*isolation: user$/);
  assert.equal(warning?.fix, `chmod o+r ${ca}`);
  await chmod(ca, 0o644);
  assert.deepEqual(await warnings(), []);
});
