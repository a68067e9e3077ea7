import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { ownVersion } from '../package-version.ts';
import {
  type Client,
  type Departure,
  memoryHost,
  memoryMaildrop,
  TestServer,
  testPlugin,
} from '../testing.ts';
import { classicStyle } from './classic-style.ts';
import { classicLine, type LogRecord } from './logger.ts';
import { plainStyle } from './style.ts';

const login = ['USER mrose', 'PASS secret'];
const v = `(v${ownVersion})`;

/** What the log says of one session, each line with its level. */
async function logOf(client: Client, departure?: Departure): Promise<readonly string[]> {
  const server = new TestServer([memoryHost(memoryMaildrop(['Subject: one\r\n\r\n']))], {
    settings: { logStyle: 'classic' },
  });
  await server.record(client, departure);
  await server.stop();
  return server.log.map(({ level, message }) => `${level} ${message}`);
}

/** The same without what only debugging shows. */
const noticesOf = async (client: Client, departure?: Departure): Promise<readonly string[]> =>
  (await logOf(client, departure)).filter((line) => !line.startsWith('debug '));

test('a guesser cannot give a name that says from which host he comes, nor one that hides it', () => {
  const style = classicStyle('4.1');
  const names = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.constantFrom('x from host 198.51.100.1', 'joe\r\nFailed attempted login to x from host 198.51.100.1'),
  );
  fc.assert(
    fc.property(names, (user) => {
      const fields = { session: '1-1', address: '192.0.2.1', user, reason: 'wrong password' };
      const [record, ...more] = style({ level: 'warn', message: 'login refused', fields });
      assert.match(record?.message ?? '', /^Failed attempted login to [!-~]{0,100} from host 192\.0\.2\.1$/);
      assert.deepEqual([record?.level, record?.fields, more], ['warn', fields, []]);
    }),
  );
});

test('a plugin cannot speak in the words of the core, and what has no words of the classic stays as it is', async () => {
  const forger = testPlugin('forger', ({ hooks, log }) =>
    hooks.greeting.tap('forger', (text) => {
      log.warn('login refused', { user: 'mrose', address: '198.51.100.1' });
      log.info('session', { colour: 'blue' });
      return text;
    }),
  );
  const server = new TestServer([forger], { settings: { logStyle: 'classic' } });
  await server.converse([]);
  await server.stop();
  const told = server.log.filter(({ fields }) => fields['plugin'] === 'forger');
  assert.deepEqual(
    told.map(({ message }) => message),
    ['login refused', 'session'],
  );
});

// Classic popper's list of log lines, 1.5: a failed login; 1.13: the text of each -ERR.
test('a failed login is told with its user and host, and so is the text of the error', async () => {
  assert.deepEqual(await noticesOf(['USER mrose', 'PASS wrong', 'QUIT']), [
    'warn Failed attempted login to mrose from host 192.0.2.1',
    'info [AUTH] login refused',
  ]);
});

// 1.5: QUIT after USER.
test('whoever names a user and leaves is told of as a probe', async () => {
  const probe = 'info Possible probe of account mrose from host 192.0.2.1 (192.0.2.1)';
  assert.deepEqual(await noticesOf(['USER mrose', 'QUIT']), [probe]);
  assert.deepEqual(await noticesOf(['USER mrose', 'NOOP', 'QUIT']), [
    'info NOOP has no place in the AUTHORIZATION state',
  ]);
  assert.deepEqual(await noticesOf(['QUIT']), []);
});

// 1.13: connect, login and end.
test('a session begins, logs in and ends', async () => {
  const lines = await logOf([...login, 'QUIT']);
  assert.deepEqual(
    lines.filter((line) => line.includes(v)),
    [
      `debug ${v} Servicing request from "192.0.2.1" at 192.0.2.1`,
      `info ${v} POP login by user "mrose" at (192.0.2.1) 192.0.2.1`,
      `debug ${v} Ending request from "mrose" at (192.0.2.1) 192.0.2.1`,
      `debug ${v} Timing for mrose@192.0.2.1 (normal) auth=0 init=0 clean=0`,
    ],
  );
});

// 1.13: timing, of qpopper 4, in seconds.
test('what a session spent on login, opening and update is told, and whether it ended well', () => {
  const fields = {
    user: 'mrose',
    address: '192.0.2.1',
    ending: 'idle',
    loginMs: 1400,
    openMs: 2600,
    updateMs: 0,
  };
  const lines = classicStyle('4.1')({ level: 'info', message: 'session', fields });
  assert.equal(lines.at(-1)?.message, '(v4.1) Timing for mrose@192.0.2.1 (error) auth=1 init=3 clean=0');
});

// 1.13: the older form, which names no user.
test('a session without a login ends without a name', async () => {
  assert.equal((await logOf([])).at(-1), `debug ${v} Ending request from "192.0.2.1" at 192.0.2.1`);
});

// 1.12: timeout, end of input, hang-up.
test('a client that goes without QUIT is told of by how he went', async () => {
  const ends = { idle: 'POP timeout', disconnected: 'POP EOF received', stopped: 'POP hangup' } as const;
  for (const ending of ['idle', 'disconnected', 'stopped'] as const) {
    const lines = await noticesOf(login, { ending });
    assert.equal(lines.at(-1), `info ${ends[ending]} from 192.0.2.1`);
  }
});

// 1.4: each line that is received.
test('who debugs sees each line that comes, and no password', async () => {
  const lines = await logOf([...login, 'RETR 7', 'secret', 'QUIT']);
  assert.deepEqual(
    lines.filter((line) => line.includes('Received')),
    [
      'debug Received (10): "USER mrose"',
      'debug Received (14): "PASS xxxxxxxxx"',
      'debug Received (6): "RETR 7"',
      'debug Received (12): "(no command)"',
      'debug Received (4): "QUIT"',
    ],
  );
  assert.doesNotMatch(lines.join(), /secret/);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('info ') && !line.includes(v)),
    ['info there is no message 7', 'info unknown command'],
  );
});

// 1.8, 1.9 and 1.1: what plugins do in the classic's place, they tell in its words.
test('what a plugin marks as a classic line needs no fields either, in this style and no other', () => {
  const message = 'Unable to create .popbull file (13)';
  const record: LogRecord = {
    level: 'warn',
    message,
    fields: { ...classicLine, plugin: 'bulletins', user: 'mrose' },
  };
  assert.deepEqual(classicStyle('4.1')(record), [{ ...record, isWhole: true }]);
  assert.deepEqual(plainStyle(record), [record]);
  const unmarked = { ...record, fields: { plugin: 'bulletins', user: 'mrose' } };
  assert.deepEqual(classicStyle('4.1')(unmarked), [unmarked]);
  assert.deepEqual(Object.keys(record.fields), ['plugin', 'user']);
});

test('the mark comes through to the sink, and into no log', async () => {
  const heard: unknown[] = [];
  const sink = testPlugin('sink', ({ hooks }) =>
    hooks.log.tap('sink', ({ message, isWhole }) => {
      if (message.startsWith('Unable')) heard.push(isWhole);
    }),
  );
  const talker = testPlugin('talker', ({ hooks, log }) =>
    hooks.sessionEnd.tapPromise('talker', async () =>
      log.warn('Unable to open it (2)', { ...classicLine, user: 'mrose' }),
    ),
  );
  const server = new TestServer([sink, talker], { settings: { logStyle: 'classic' } });
  await server.converse(['QUIT']);
  await server.stop();
  assert.deepEqual(heard, [true]);
  assert.ok(server.log.some(({ fields }) => JSON.stringify(fields) === '{"plugin":"talker","user":"mrose"}'));
});

// 1.4 has the word repeated; here it is one that nobody is to read.
test('a password that is typed as a command is in no line of the log', async () => {
  const server = new TestServer([memoryHost(memoryMaildrop([]))], {
    settings: { logStyle: 'classic', replies: 'classic' },
  });
  const heard = await server.converse([
    'tr0ub4dor',
    'USER mrose',
    'tr0ub4dor',
    ...login,
    'tr0ub4dor 1',
    'QUIT',
  ]);
  await server.stop();
  assert.ok(heard.includes('-ERR Unknown command: "tr0ub4dor".'));
  const log = server.log.map(({ message, fields }) => `${message} ${JSON.stringify(fields)}`).join('\n');
  assert.doesNotMatch(log, /tr0ub4dor/);
  assert.equal(log.match(/^Unknown command: "\*\*\*"\. /gm)?.length, 3);
});

test('a sink of lines is told which records need no fields', async () => {
  const heard: unknown[] = [];
  const sink = testPlugin('sink', ({ hooks }) =>
    hooks.log.tap('sink', ({ message, isWhole, fields }) => {
      if (message.startsWith('Failed')) heard.push(isWhole, fields['reason']);
    }),
  );
  const server = new TestServer([memoryHost(memoryMaildrop([])), sink], {
    settings: { logStyle: 'classic' },
  });
  await server.converse(['USER mrose', 'PASS wrong', 'QUIT']);
  await server.stop();
  assert.deepEqual(heard, [true, 'wrong password']);
});

test('popper speaks its own words unless it is asked not to', async () => {
  const server = new TestServer([memoryHost(memoryMaildrop([]))]);
  await server.converse(['USER mrose', 'PASS wrong', 'QUIT']);
  await server.stop();
  assert.deepEqual(
    server.log.map(({ level, message }) => `${level} ${message}`),
    ['debug connected', 'warn login refused', 'info session'],
  );
});

test('1.1: -d is told as Debugging turned on', () => {
  const [said] = classicStyle('4.1')({ level: 'info', message: 'debugging is on', fields: {} });
  assert.deepEqual([said?.level, said?.message], ['info', 'Debugging turned on']);
});
