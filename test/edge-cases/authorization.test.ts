import assert from 'node:assert/strict';
import { test } from 'node:test';

import { denied, Failure, type LoginAttempt, type Plugin, unavailable, type Verdict } from 'popperd';
import {
  type Client,
  identityOf,
  latin1,
  memoryHost,
  memoryMaildrop,
  memoryState,
  MemoryStore,
  testPlugin,
  TestServer,
} from 'popperd/testing';

import { beforeLogin, login } from './support.ts';

const host = () => memoryHost(memoryMaildrop(['a\r\n']));
const talk = async (plugins: readonly Plugin[], lines: Client) =>
  (await new TestServer(plugins).converse(lines)).slice(1);

/** A plugin that answers every login with what `decide` gives or throws. */
const authenticator = (decide: (attempt: LoginAttempt) => Verdict | undefined): Plugin =>
  testPlugin('authenticator', ({ hooks }) =>
    hooks.authenticate.tapPromise('authenticator', async (attempt) => decide(attempt)),
  );

test('A1: PASS counts only right after a USER that was answered with +OK', async () => {
  assert.deepEqual(await talk([host()], ['PASS secret', 'USER mrose', 'NOOP', 'PASS secret']), [
    '-ERR USER first',
    '+OK send PASS',
    '-ERR NOOP has no place in the AUTHORIZATION state',
    '-ERR USER first',
  ]);
  assert.deepEqual(await talk([host()], ['USER mrose', 'CAPA x', 'PASS secret']), [
    '+OK send PASS',
    '-ERR usage: CAPA',
    '-ERR USER first',
  ]);
});

test('A1: a second USER replaces the first', async () => {
  const passwords = { mrose: 'secret', other: 'secret' };
  const said = await talk(
    [memoryHost(({ user }) => memoryMaildrop(user === 'other' ? ['a\r\n', 'b\r\n'] : []), passwords)],
    ['USER mrose', 'USER other', 'PASS secret'],
  );
  assert.equal(said.at(-1), '+OK maildrop has 2 messages (6 octets)');
});

test('A1: a USER that is refused does not leave the earlier one in force', async () => {
  assert.deepEqual(await talk([host()], ['USER mrose', 'USER', 'PASS secret']), [
    '+OK send PASS',
    '-ERR usage: USER name',
    '-ERR USER first',
  ]);
});

test('A2: after a wrong password the client may try again, until it has been wrong too often', async () => {
  assert.deepEqual(await talk([host()], ['USER mrose', 'PASS wrong', ...login]), [
    '+OK send PASS',
    '-ERR [AUTH] login refused',
    '+OK send PASS',
    '+OK maildrop has 1 message (3 octets)',
  ]);
  const guesses = ['a', 'b', 'c', 'd'].flatMap((guess) => ['USER mrose', `PASS ${guess}`]);
  const { said, reports } = await new TestServer([host()]).record(guesses);
  assert.equal(said.filter((line) => line === '-ERR [AUTH] login refused').length, 3);
  assert.equal(reports[0]?.ending, 'refused');
});

test('A2: an unknown user, a name that nobody may have and a wrong password get one answer', async () => {
  const answers = await Promise.all(
    [
      ['USER nobody', 'PASS secret'],
      ['USER mrose', 'PASS wrong'],
      ['USER ../../etc/passwd', 'PASS secret'],
      ['USER -rf', 'PASS secret'],
    ].map((lines) => talk([host()], lines)),
  );
  for (const answer of answers) assert.deepEqual(answer, ['+OK send PASS', '-ERR [AUTH] login refused']);
});

test('A2: a name that nobody may have never reaches an authenticator', async () => {
  const asked: string[] = [];
  const curious = authenticator(({ user }) => void asked.push(user));
  for (const name of ['../x', '-rf', '.hidden', 'a/b', 'a..b', '*', '(uid=*)', 'x'.repeat(240)]) {
    await talk([curious], [`USER ${name}`, 'PASS secret']);
  }
  assert.deepEqual(asked, []);
});

test('A2: a password is in no log and no report, refused or granted', async () => {
  const server = new TestServer([host()]);
  await server.record([
    'USER mrose',
    'PASS hunter2',
    'PASS hunter2',
    'USER mrose',
    'PASS secret',
    'PASS hunter2',
  ]);
  assert.doesNotMatch(JSON.stringify(server.log), /hunter2|secret/);
});

for (const password of [' two  spaces ', ' ', '  ', 'a ', 'x'.repeat(255 - 'PASS \r\n'.length)]) {
  test(`A3: every octet after the first space belongs to the password (${password.length} octets)`, async () => {
    const plugins = [memoryHost(memoryMaildrop([]), { mrose: password })];
    assert.equal(
      (await talk(plugins, ['USER mrose', `PASS ${password}`])).at(-1),
      '+OK maildrop has 0 messages (0 octets)',
    );
    assert.equal(
      (await talk(plugins, ['USER mrose', `PASS ${password.trim()}.`])).at(-1)?.slice(0, 4),
      '-ERR',
    );
  });
}

test('A4: an empty name and an empty password are refused, and no authenticator is asked', async () => {
  let asked = 0;
  const curious = authenticator(() => void (asked += 1));
  for (const lines of [['USER'], ['USER '], ['USER mrose', 'PASS'], ['USER mrose', 'PASS ']]) {
    assert.match((await talk([curious], lines)).at(-1) ?? '', /^-ERR usage: /);
  }
  assert.equal(asked, 0);
});

test('A5: QUIT before the login is answered, and no maildrop is opened', async () => {
  let opened = 0;
  const store = memoryHost(() => {
    opened += 1;
    return memoryMaildrop([]);
  });
  assert.deepEqual(await talk([store], ['USER mrose', 'QUIT', 'NOOP']), ['+OK send PASS', '+OK bye']);
  assert.equal(opened, 0);
});

test('A8: a login whose maildrop is locked is told so and cut off, and its password was right', async () => {
  const { server, store } = locked();
  const holder = await store.open(identityOf('mrose'));
  const { said, reports } = await server.record([...login, 'STAT']);
  assert.deepEqual(said.slice(2), ['-ERR [IN-USE] the maildrop is in use by another session']);
  assert.equal(reports[0]?.ending, 'failed');
  assert.deepEqual((await server.converse(['USER mrose', 'PASS wrong'])).at(-1), '-ERR [AUTH] login refused');
  await holder.close();
  assert.equal((await server.converse(login)).at(-1), '+OK maildrop has 1 message (3 octets)');
});

test('A9: of two clients that race for one maildrop exactly one wins', async () => {
  const { server } = locked();
  const finished = Promise.withResolvers<undefined>();
  const racer = async function* (): AsyncGenerator<string> {
    yield* login;
    // The winner stays until the loser has been answered.
    await finished.promise;
    yield 'QUIT';
  };
  const sessions = [1, 2].map(async () => {
    const said = await server.converse(racer());
    finished.resolve(undefined);
    return said[2];
  });
  assert.deepEqual(
    new Set(await Promise.all(sessions)),
    new Set([
      '+OK maildrop has 1 message (3 octets)',
      '-ERR [IN-USE] the maildrop is in use by another session',
    ]),
  );
  assert.equal(server.state.heldClaims, 0);
});

test('A10: a login that comes too early is told so only after the password was right', async () => {
  const delay = authenticator(() => {
    throw new Failure('the last login was less than a minute ago', { code: 'LOGIN-DELAY' });
  });
  assert.deepEqual(await talk([delay], login), [
    '+OK send PASS',
    '-ERR [LOGIN-DELAY] the last login was less than a minute ago',
  ]);
});

for (const [how, decide] of [
  ['says so', () => unavailable(new Error('ECONNREFUSED 192.0.2.9'))],
  [
    'throws',
    () => {
      throw new Error('ECONNREFUSED 192.0.2.9');
    },
  ],
] as const) {
  test(`A11: a back end that is down and ${how} is no wrong password`, async () => {
    const server = new TestServer([authenticator(decide), host()]);
    const lines = [1, 2, 3, 4].flatMap(() => login);
    const said = (await server.converse(lines)).filter((line) => line.startsWith('-ERR'));
    assert.deepEqual(
      said,
      Array.from({ length: 4 }, () => '-ERR [SYS/TEMP] the login cannot be checked now, try again later'),
    );
    const errors = server.log.filter(({ level }) => level === 'error');
    assert.equal(errors.length, 4);
    assert.match(String(errors[0]?.fields['error']), /ECONNREFUSED/);
  });
}

test('A12: [AUTH] stands before a refusal of the proof, and before nothing else', async () => {
  assert.equal(
    (await talk([authenticator(() => denied('expired'))], login)).at(-1),
    '-ERR [AUTH] login refused',
  );
  const others = await beforeLogin([
    'STAT',
    'PASS x',
    'USER',
    'xyz',
    latin1('\0\r\n'),
    latin1('x'.repeat(300) + '\r\n'),
  ]);
  for (const answer of others) assert.doesNotMatch(answer, /\[AUTH\]/);
});

test('A13: an account that is disabled for good says [SYS/PERM], and so does a broken maildrop', async () => {
  const disabled = authenticator(() => {
    throw new Failure('this account is disabled', { code: 'SYS/PERM' });
  });
  assert.equal((await talk([disabled], login)).at(-1), '-ERR [SYS/PERM] this account is disabled');
  const corrupt = memoryHost(() => {
    throw new Failure('the maildrop is damaged', {
      code: 'SYS/PERM',
      cause: new Error('/var/mail/mrose: no From_ line'),
    });
  });
  const server = new TestServer([corrupt]);
  assert.equal((await server.converse(login)).at(-1), '-ERR [SYS/PERM] the maildrop is damaged');
  assert.match(String(server.log.find(({ level }) => level === 'warn')?.fields['error']), /no From_ line/);
});

test('A13: a user whom no store knows is told so for good', async () => {
  assert.equal(
    (await talk([memoryHost(() => undefined)], login)).at(-1),
    '-ERR [SYS/PERM] no maildrop for this user',
  );
});

function locked(): { readonly server: TestServer; readonly store: MemoryStore } {
  const state = memoryState();
  const store = new MemoryStore(state);
  store.deliver('mrose', [latin1('a\r\n')]);
  return { server: new TestServer([memoryHost((identity) => store.open(identity))], { state }), store };
}

test('A14: AUTH without an argument is refused while there are no mechanisms, and the session goes on', async () => {
  assert.deepEqual(await talk([host()], ['AUTH', 'AUTH ', ...login, 'STAT']), [
    '-ERR unknown command',
    '-ERR unknown command',
    '+OK send PASS',
    '+OK maildrop has 1 message (3 octets)',
    '+OK 1 3',
  ]);
});

test('A19: a second login is refused, by USER or by AUTH, and the first one stays', async () => {
  const said = await talk([host()], [...login, 'USER other', 'PASS secret', 'AUTH', 'AUTH PLAIN =', 'STAT']);
  assert.deepEqual(said.slice(2), [
    '-ERR USER has no place in the TRANSACTION state',
    '-ERR PASS has no place in the TRANSACTION state',
    '-ERR unknown command',
    '-ERR unknown command',
    '+OK 1 3',
  ]);
});
