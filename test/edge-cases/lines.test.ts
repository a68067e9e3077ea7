import assert from 'node:assert/strict';
import { test } from 'node:test';

import { latin1, memoryHost, memoryMaildrop, pipelined, testPlugin, TestServer } from 'popperd/testing';

import { afterLogin, beforeLogin, login } from './support.ts';

const mail = () => memoryMaildrop(['a\r\n', 'bb\r\n', 'ccc\r\n']);

test('L1: a command word is the same in any case', async () => {
  assert.deepEqual(await afterLogin(mail(), ['sTaT', 'list 1', 'Noop', 'quit']), [
    '+OK 3 12',
    '+OK 1 3',
    '+OK',
    '+OK bye',
  ]);
});

test('L2: a command of exactly 255 octets with its CRLF is accepted', async () => {
  const name = 'x'.repeat(255 - 'USER \r\n'.length);
  assert.deepEqual(await beforeLogin([`USER ${name}`]), ['+OK send PASS']);
});

test('L3: a command of 256 octets costs one -ERR and the session goes on', async () => {
  const name = 'x'.repeat(256 - 'USER \r\n'.length);
  assert.deepEqual(await beforeLogin([`USER ${name}`, 'QUIT']), [
    '-ERR line too long: 255 octets at most, CRLF included',
    '+OK bye',
  ]);
});

test('L3: the rest of a line that is too long is not run as a command', async () => {
  const segments = [latin1('x'.repeat(300)), latin1('QUIT\r\n'), 'CAPA now'];
  assert.deepEqual(await beforeLogin(segments), [
    '-ERR line too long: 255 octets at most, CRLF included',
    '-ERR usage: CAPA',
  ]);
});

test('L3: a client that sends on and on without a line end is heard once and then cut off', async () => {
  let sentOctets = 0;
  function* flood(): Generator<Uint8Array> {
    for (; sentOctets < 1e9; sentOctets += 4096) yield Buffer.alloc(4096, 'x');
  }
  const server = new TestServer([]);
  const { said, reports } = await server.record(flood());
  assert.equal(said.length, 2);
  assert.match(said[1] ?? '', /^-ERR line too long/);
  assert.equal(reports[0]?.ending, 'abuse');
  assert.ok(sentOctets <= 128 * 1024, `it took ${sentOctets} octets`);
});

test('L6: an error text that would be over 512 octets is cut, and stays one line', async () => {
  const chatty = testPlugin('chatty', ({ hooks }) => {
    hooks.connect.tapPromise('chatty', async () => ({ text: `no\r\n+OK ${'x'.repeat(2000)}` }));
  });
  const { octets } = await new TestServer([chatty]).record([]);
  assert.equal(octets.length, 512);
  assert.match(Buffer.from(octets).toString('latin1'), /^-ERR no\?\?\+OK x+\r\n$/);
});

test('L6: a greeting that would be over 512 octets is cut', async () => {
  const chatty = testPlugin('chatty', ({ hooks }) =>
    hooks.greeting.tap('chatty', () => 'welcome '.repeat(100)),
  );
  const { octets } = await new TestServer([chatty]).record([]);
  assert.equal(octets.length, 512);
});

test('L6: a capability over 512 octets is left out, and the log names it', async () => {
  const long = `X-LONG ${'y'.repeat(510)}`;
  const chatty = testPlugin('chatty', ({ hooks }) =>
    hooks.capabilities.tap('chatty', (lines) => [...lines, long, 'X-SHORT']),
  );
  const server = new TestServer([chatty]);
  const said = await server.converse(['CAPA']);
  assert.deepEqual(said.slice(-2), ['X-SHORT', '.']);
  assert.ok(said.every((line) => line.length <= 510));
  assert.deepEqual(server.log.find(({ level }) => level === 'error')?.fields['malformed'], [long]);
});

test('L7: every answer begins with +OK or -ERR in upper case', async () => {
  const lines = ['user', 'stat', 'xyz', '', 'capa x', 'USER a', 'pass b', 'quit'];
  for (const line of await beforeLogin(lines)) assert.match(line, /^(\+OK|-ERR)( |$)/);
});

test('L8: text that begins with a bracket is no response code', async () => {
  const bracket = testPlugin('bracket', ({ hooks }) =>
    hooks.connect.tapPromise('bracket', async () => ({ text: '[AUTH] not a code' })),
  );
  const coded = testPlugin('coded', ({ hooks }) =>
    hooks.connect.tapPromise('coded', async () => ({ text: 'full', code: 'SYS/TEMP' })),
  );
  assert.deepEqual(await new TestServer([bracket]).converse([]), ['-ERR  [AUTH] not a code']);
  assert.deepEqual(await new TestServer([coded]).converse([]), ['-ERR [SYS/TEMP] full']);
});

test('L9: the greeting has no angle bracket, so no client takes it for an APOP timestamp', async () => {
  const [greeting = ''] = await new TestServer([]).converse([]);
  assert.match(greeting, /^\+OK [^<>]+$/);
});

test('L10: a bare LF ends a command, in a segment of its own or between others', async () => {
  const segments = [latin1('USER mrose\nPASS secret\r\nSTAT\nQUIT\n')];
  const said = await new TestServer([memoryHost(mail())]).converse(segments);
  assert.deepEqual(said.slice(1), [
    '+OK send PASS',
    '+OK maildrop has 3 messages (12 octets)',
    '+OK 3 12',
    '+OK bye',
  ]);
});

for (const [what, octets] of [
  ['a bare CR', 'NO\rOP\r\n'],
  ['a NUL', 'USER mro\0se\r\n'],
  ['an octet above 0x7E', 'USER m\xfcller\r\n'],
  ['an escape sequence', 'USER \x1b[2J\r\n'],
  ['a DEL', 'USER a\x7f\r\n'],
] as const) {
  test(`L11: ${what} in a command costs one -ERR and reaches no log`, async () => {
    const server = new TestServer([memoryHost(mail())]);
    const said = await server.converse([latin1(octets), 'QUIT']);
    assert.deepEqual(said.slice(1), ['-ERR a command is printable ASCII and ends with CRLF', '+OK bye']);
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    assert.doesNotMatch(JSON.stringify(server.log), /[\0-\x1f\x7f-\xff]|\\u00|\\r/);
  });
}

for (const line of ['', ' ', '    ']) {
  test(`L12: a line of ${line.length} spaces and nothing else is no command`, async () => {
    assert.deepEqual(await afterLogin(mail(), [line, 'NOOP']), ['-ERR unknown command', '+OK']);
  });
}

for (const line of ['LIST  1', 'LIST 1 ', 'STAT  ', 'RETR 1 ', 'TOP 1  0', 'TOP 1 0 ', 'DELE  1']) {
  test(`L13: one space stands between two words, so ${JSON.stringify(line)} is refused`, async () => {
    const [answer = '', next] = await afterLogin(mail(), [line, 'STAT']);
    assert.match(answer, /^-ERR usage: /);
    assert.equal(next, '+OK 3 12');
  });
}

test('L13: a space before the command, or a tab in it, is refused', async () => {
  assert.deepEqual(await afterLogin(mail(), [' STAT', 'LIST\t1', 'STAT']), [
    '-ERR unknown command',
    '-ERR a command is printable ASCII and ends with CRLF',
    '+OK 3 12',
  ]);
});

test('L13: the space after a command that got no arguments is let pass', async () => {
  assert.deepEqual(await afterLogin(mail(), ['STAT ', 'LIST ']), [
    '+OK 3 12',
    '+OK 3 messages (12 octets)',
    '1 3',
    '2 4',
    '3 5',
    '.',
  ]);
});

for (const line of [
  'STAT 1',
  'QUIT x',
  'NOOP x',
  'RSET x',
  'CAPA x',
  'LIST 1 2',
  'RETR 1 2',
  'DELE 1 2',
  'UIDL 1 2',
  'TOP 1 2 3',
]) {
  test(`L14: ${line} has an argument too many and does nothing`, async () => {
    const maildrop = mail();
    const [answer = '', next] = await afterLogin(maildrop, [line, 'STAT', 'QUIT']);
    assert.match(answer, new RegExp(`^-ERR usage: ${line.slice(0, 3)}`));
    assert.equal(next, '+OK 3 12');
    assert.equal(maildrop.kept().length, 3);
  });
}

const noNumbers = [
  '0',
  '-1',
  '+1',
  '01',
  '1.0',
  '1e3',
  '0x1',
  '999999999999999999999',
  '4294967297',
  '18446744073709551617',
  '1,',
  'one',
  '',
];

for (const command of ['LIST', 'RETR', 'DELE', 'UIDL']) {
  test(`L15: ${command} takes nothing for a number that is none, and never wraps around`, async () => {
    const maildrop = mail();
    const given =
      command === 'LIST' || command === 'UIDL' ? noNumbers.filter((number) => number !== '') : noNumbers;
    const said = await afterLogin(maildrop, [
      ...given.map((number) => `${command} ${number}`),
      'STAT',
      'QUIT',
    ]);
    assert.equal(said.length, given.length + 2);
    for (const answer of said.slice(0, given.length))
      assert.match(answer, /^-ERR (usage|there is no message)/);
    assert.equal(said.at(-2), '+OK 3 12');
    assert.equal(maildrop.kept().length, 3);
  });
}

test('L15: a full-width digit is no digit', async () => {
  const said = await afterLogin(mail(), [Buffer.from('RETR \uff11\r\n'), 'NOOP']);
  assert.deepEqual(said, ['-ERR a command is printable ASCII and ends with CRLF', '+OK']);
});

test('L16: unknown commands of any length are refused and the session goes on', async () => {
  const unknown = ['X', 'XY', 'RETRY', 'NOOPE', 'LAST', 'XTND XLIST', 'constructor', '__proto__', 'toString'];
  const said = await afterLogin(mail(), [...unknown, 'NOOP']);
  assert.deepEqual(said, [...unknown.map(() => '-ERR unknown command'), '+OK']);
});

for (const line of ['STAT', 'LIST', 'RETR 1', 'DELE 1', 'NOOP', 'RSET', 'TOP 1 1', 'UIDL']) {
  test(`L17: ${line} before the login is refused, and the state stays what it was`, async () => {
    const [answer = '', ...rest] = (
      await new TestServer([memoryHost(mail())]).converse([line, ...login])
    ).slice(1);
    assert.match(answer, /^-ERR .* AUTHORIZATION/);
    assert.deepEqual(rest, ['+OK send PASS', '+OK maildrop has 3 messages (12 octets)']);
  });
}

for (const line of login) {
  test(`L17: ${line.slice(0, 4)} after the login is refused, and the state stays what it was`, async () => {
    const [answer = '', next] = await afterLogin(mail(), [line, 'STAT']);
    assert.match(answer, /^-ERR .* TRANSACTION/);
    assert.equal(next, '+OK 3 12');
  });
}

test('L18: a thousand commands in one segment, or an octet a segment, are answered with the same octets', async () => {
  const lines = [
    ...login,
    ...Array.from({ length: 1000 }, (_, index) => ['STAT', 'RETR 2', 'UIDL 9', 'x'][index % 4] ?? ''),
  ];
  const oneByOne = await new TestServer([memoryHost(mail())]).record(lines);
  const atOnce = await new TestServer([memoryHost(mail())]).record([pipelined(...lines)]);
  const dripping = await new TestServer([memoryHost(mail())]).record(
    [...pipelined(...lines)].map((octet) => Uint8Array.of(octet)),
  );
  assert.deepEqual(atOnce.octets, oneByOne.octets);
  assert.deepEqual(dripping.octets, oneByOne.octets);
});

test('L19: a client that ends its side after QUIT is answered, and what it marked is gone', async () => {
  const maildrop = mail();
  assert.deepEqual(await afterLogin(maildrop, [pipelined('DELE 2', 'QUIT')]), [
    '+OK message 2 deleted',
    '+OK bye',
  ]);
  assert.deepEqual(maildrop.kept(), ['a\r\n', 'ccc\r\n']);
});
