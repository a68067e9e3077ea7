import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { memoryHost, memoryMaildrop, type MemoryState, TestServer } from 'popperd/testing';

import trace from './index.ts';
import { writeTargets } from './target-file.ts';
import type { Target } from './targets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-trace-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Options = Parameters<typeof trace>[0];

async function serverWith(t: TestContext, options: Options): Promise<TestServer> {
  const host = memoryHost(memoryMaildrop(['Subject: private\r\n\r\nwords for nobody else\r\n']), {
    mrose: 'rabbit',
    bob: 'hammer',
  });
  const server = new TestServer([host, trace(options)], { baseFolder: folder });
  t.after(() => server.stop());
  return server;
}

const session = (user: string, password: string) => [`USER ${user}`, `PASS ${password}`, 'RETR 1', 'QUIT'];

/** What the plugin logged of what was said, as `level direction user text`. */
const told = ({ log }: TestServer): readonly string[] =>
  log
    .filter(({ message }) => message === 'received' || message === 'sent')
    .map(
      ({ level, message, fields }) =>
        `${level} ${message} ${String(fields['user'])} ${String(fields['text'])}`,
    );

test('the file has every line, in its order, with its session, and neither passwords nor mail', async (t) => {
  const server = await serverWith(t, { file: 'trace' });
  await server.start();
  await server.converse([...session('mrose', 'rabbit')]);
  await server.converse(['APOP mrose rabbit', 'rabbit', 'AUTH PLAIN rabbit', 'PASS rabbit', 'QUIT']);
  const text = await readFile(join(folder, 'trace'), 'utf8');
  assert.doesNotMatch(text, /rabbit|words for nobody/);
  const lines = text.trimEnd().split('\n');
  const form = new RegExp(`^20[-0-9]+T[0-9:.]+Z ${process.pid} (session-[12] .*)$`);
  assert.deepEqual(
    lines.slice(0, 9).map((line) => form.exec(line)?.[1]),
    [
      'session-1 -/192.0.2.1 sent +OK popper ready',
      'session-1 mrose/192.0.2.1 received USER mrose',
      'session-1 mrose/192.0.2.1 sent +OK send PASS',
      'session-1 mrose/192.0.2.1 received PASS ***',
      'session-1 mrose/192.0.2.1 sent +OK maildrop has 1 message (43 octets)',
      'session-1 mrose/192.0.2.1 received RETR 1',
      'session-1 mrose/192.0.2.1 sent +OK 43 octets',
      'session-1 mrose/192.0.2.1 received QUIT',
      'session-1 mrose/192.0.2.1 sent +OK bye',
    ],
  );
  assert.deepEqual(told(server), [], 'the log has none of it');
});

test('a daemon whose trace cannot be written does not start, and says so in the classic words', async (t) => {
  await symlink('/etc/hostname', join(folder, 'trace'));
  const server = await serverWith(t, { file: 'trace' });
  const line = `Unable to open trace file "${join(folder, 'trace')}", err = 40`;
  await assert.rejects(server.start(), (error) => error instanceof Error && error.message.includes(line));
  const [record] = server.log.filter(({ level }) => level === 'error');
  assert.equal(record?.message, line);
  const { username } = userInfo();
  const fix = `name a regular file, no link, in a folder where ${username} may write`;
  assert.equal(record?.fields['fix'], fix);
});

test('where it is traced to is in the log, once', async (t) => {
  const server = await serverWith(t, { file: 'trace' });
  await server.start();
  await server.listening(['127.0.0.1:110']);
  await server.converse(['QUIT']);
  const line = `Tracing session and debugging information in file "${join(folder, 'trace')}"`;
  assert.equal(server.log.filter(({ message }) => message === line).length, 1);
});

test('the log shows what is said, where it is asked for', async (t) => {
  const server = await serverWith(t, { log: true });
  await server.start();
  await server.converse(['USER mrose', 'PASS rabbit', 'QUIT']);
  assert.deepEqual(told(server), [
    'debug sent undefined +OK popper ready',
    'debug received mrose USER mrose',
    'debug sent mrose +OK send PASS',
    'debug received mrose PASS ***',
    'debug sent mrose +OK maildrop has 1 message (43 octets)',
    'debug received mrose QUIT',
    'debug sent mrose +OK bye',
  ]);
});

test('a process that may not open the file, because it is the user, shows the lines in the log', async (t) => {
  const server = await serverWith(t, { file: 'trace' });
  // It has heard of no start, as one that was started as a worker has not.
  await server.converse(['QUIT']);
  assert.deepEqual(told(server), [
    'debug sent undefined +OK popper ready',
    'debug received undefined QUIT',
    'debug sent undefined +OK bye',
  ]);
});

/** So long it may take until another file is looked at. */
const untilLookedAtMs = 1100;

async function traceOnly(state: MemoryState, ...targets: readonly Omit<Target, 'untilMs'>[]): Promise<void> {
  const untilMs = Date.now() + 60_000;
  await writeTargets(
    join(state.folder, 'trace.json'),
    targets.map((target) => ({ ...target, untilMs })),
  );
  await delay(untilLookedAtMs);
}

test('the running daemon traces whom an operator names, and nobody else', async (t) => {
  const server = await serverWith(t, {});
  await server.start();
  await server.converse([...session('mrose', 'rabbit')]);
  assert.deepEqual(told(server), []);
  await traceOnly(server.state, { kind: 'user', name: 'mrose' });
  await server.converse([...session('bob', 'hammer')]);
  assert.deepEqual(told(server), []);
  await server.converse(['USER mrose', 'PASS wrong', 'USER bob', 'PASS hammer', 'NOOP', 'QUIT']);
  assert.deepEqual(told(server), [
    'info received mrose USER mrose',
    'info sent mrose +OK send PASS',
    'info received mrose PASS ***',
    'info sent mrose -ERR [AUTH] login refused',
  ]);
});

test('an address is traced from its greeting on, until its time is over', async (t) => {
  const server = await serverWith(t, {});
  await traceOnly(server.state, { kind: 'address', name: '192.0.2.1' });
  await server.converse(['QUIT']);
  assert.deepEqual(told(server), [
    'info sent undefined +OK popper ready',
    'info received undefined QUIT',
    'info sent undefined +OK bye',
  ]);
  await writeTargets(join(server.state.folder, 'trace.json'), [
    { kind: 'address', name: '192.0.2.1', untilMs: Date.now() - 1 },
  ]);
  await delay(untilLookedAtMs);
  await server.converse(['QUIT']);
  assert.equal(told(server).length, 3);
});

test('a list of whom to trace that cannot be believed costs one warning and no session', async (t) => {
  const server = await serverWith(t, {});
  const file = join(server.state.folder, 'trace.json');
  await writeFile(file, 'nonsense', { mode: 0o644 });
  for (let sessions = 0; sessions < 2; sessions += 1) {
    assert.match((await server.converse(['QUIT'])).at(-1) ?? '', /^\+OK/);
    await delay(untilLookedAtMs);
  }
  const warnings = server.log.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    warnings.map(({ message, fields }) => [message, fields['fix']]),
    [['who is to be traced cannot be read, so nobody is', `rm ${file}`]],
  );
});

test('popper check tells whether the trace can be written', async (t) => {
  const good = await serverWith(t, { file: 'trace' });
  assert.deepEqual(await good.check(), [
    { kind: 'fine', plugin: 'trace', what: `the trace can be written to ${join(folder, 'trace')}` },
  ]);
  const bad = await serverWith(t, { file: 'none/trace' });
  const [finding] = await bad.check();
  assert.equal(finding?.kind, 'problem');
  assert.match(finding?.what ?? '', /^file: Unable to open trace file ".*none\/trace", err = 2$/);
  assert.match(finding?.fix ?? '', /^name a regular file, .* where popper may write$/);
});

test('a wrong option is refused with what would be right', () => {
  const [empty] = trace({ file: '' }).problems;
  assert.match(empty?.message ?? '', /expected the path of a file/);
});
