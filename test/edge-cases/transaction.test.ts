import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineCommand, type Maildrop, ok } from 'popperd';
import {
  identityOf,
  latin1,
  memoryHost,
  memoryMaildrop,
  MemoryMaildrop,
  memoryState,
  MemoryStore,
  testPlugin,
  TestServer,
} from 'popperd/testing';

import { afterLogin, login, withLogin } from './support.ts';

const mail = () => memoryMaildrop(['a\r\n', 'bb\r\n', 'ccc\r\n']);

test('M1: STAT gives two numbers and nothing after them, without what is marked', async () => {
  assert.deepEqual(await afterLogin(mail(), ['STAT', 'DELE 3', 'STAT', 'DELE 1', 'DELE 2', 'STAT']), [
    '+OK 3 12',
    '+OK message 3 deleted',
    '+OK 2 7',
    '+OK message 1 deleted',
    '+OK message 2 deleted',
    '+OK 0 0',
  ]);
});

for (const command of ['LIST', 'UIDL']) {
  test(`M2: ${command} of an empty maildrop is a list with nothing in it`, async () => {
    const [first = '', ...rest] = await afterLogin(memoryMaildrop([]), [command]);
    assert.match(first, /^\+OK /);
    assert.deepEqual(rest, ['.']);
  });
}

test('M3: LIST and UIDL of one message are one line', async () => {
  assert.deepEqual(await afterLogin(mail(), ['LIST 2', 'UIDL 2', 'NOOP']), ['+OK 2 4', '+OK 2 uid-2', '+OK']);
});

test('M4: the numbers of the others stay when the first of three is marked', async () => {
  assert.deepEqual(await afterLogin(mail(), ['DELE 1', 'LIST', 'UIDL', 'LIST 2', 'UIDL 3', 'RETR 2']), [
    '+OK message 1 deleted',
    '+OK 2 messages (9 octets)',
    '2 4',
    '3 5',
    '.',
    '+OK unique-id listing follows',
    '2 uid-2',
    '3 uid-3',
    '.',
    '+OK 2 4',
    '+OK 3 uid-3',
    '+OK 4 octets',
    'bb',
    '.',
  ]);
});

for (const line of ['LIST 2', 'RETR 2', 'TOP 2 0', 'UIDL 2', 'DELE 2']) {
  test(`M5: ${line} is refused once message 2 is marked`, async () => {
    assert.deepEqual(await afterLogin(mail(), ['DELE 2', line]), [
      '+OK message 2 deleted',
      '-ERR message 2 is deleted',
    ]);
  });
}

test('M6: RSET takes back every mark, and QUIT then removes nothing', async () => {
  const maildrop = mail();
  assert.deepEqual(await afterLogin(maildrop, ['DELE 1', 'DELE 3', 'RSET', 'STAT', 'LIST 1', 'QUIT']), [
    '+OK message 1 deleted',
    '+OK message 3 deleted',
    '+OK maildrop has 3 messages (12 octets)',
    '+OK 3 12',
    '+OK 1 3',
    '+OK bye',
  ]);
  assert.equal(maildrop.kept().length, 3);
});

test('M7: NOOP is refused before the login and does nothing after it', async () => {
  const said = await new TestServer([memoryHost(mail())]).converse(['NOOP', ...login, 'NOOP']);
  assert.deepEqual(said.slice(1), [
    '-ERR NOOP has no place in the AUTHORIZATION state',
    '+OK send PASS',
    '+OK maildrop has 3 messages (12 octets)',
    '+OK',
  ]);
});

const letter = 'Subject: x\r\nFrom: a\r\n\r\none\r\n.two\r\nthree\r\n';

for (const lines of [0, 1, 2, 3, 4, 4294967296, '9'.repeat(200)]) {
  test(`M8, M9: TOP 1 ${lines} sends the header, the empty line and no more lines than that`, async () => {
    const body = ['one', '..two', 'three'].slice(0, Math.min(Number(lines), 3));
    assert.deepEqual(await afterLogin(memoryMaildrop([letter]), [`TOP 1 ${lines}`, 'NOOP']), [
      '+OK top of message follows',
      'Subject: x',
      'From: a',
      '',
      ...body,
      '.',
      '+OK',
    ]);
  });
}

for (const line of ['TOP 1', 'TOP', 'TOP 1 -1', 'TOP 1 x', 'TOP 1 1.5', 'TOP 1 +1', 'TOP 1 01', 'TOP 0 1']) {
  test(`M9: ${line} is refused`, async () => {
    assert.deepEqual(await afterLogin(memoryMaildrop([letter]), [line]), ['-ERR usage: TOP msg n']);
  });
}

for (const [what, text, top] of [
  ['without a body', 'A: b\r\n\r\n', ['A: b', '']],
  ['without an empty line', 'A: b\r\nC: d\r\n', ['A: b', 'C: d']],
  ['without an empty line and a last line end', 'A: b\r\nC: d', ['A: b', 'C: d']],
  ['without any header', '\r\nbody\r\n', ['']],
  ['of one line that is no header', 'hello', ['hello']],
  ['of no octets', '', []],
] as const) {
  test(`M10: a message ${what} has a TOP and a RETR that are well formed, and its counts agree`, async () => {
    const maildrop = memoryMaildrop([text]);
    const said = await afterLogin(maildrop, ['TOP 1 0', 'RETR 1', 'LIST 1']);
    const end = said.indexOf('.');
    assert.deepEqual(said.slice(1, end), top);
    const whole = said.slice(end + 2, -2);
    assert.equal(said[end + 1], `+OK ${whole.join('\r\n').length + (text === '' ? 0 : 2)} octets`);
    assert.equal(said.at(-1), `+OK 1 ${maildrop.totalOctets}`);
    assert.equal(said.at(-2), '.');
  });
}

test('M11, M12: unique-ids are the same in the next session and after one that ended without QUIT', async () => {
  const { server } = stored(['same\r\n', 'same\r\n', 'other\r\n']);
  const uids = async () => (await server.converse([...login, 'UIDL'])).slice(4, -1);
  const first = await uids();
  assert.equal(new Set(first.map((line) => line.split(' ')[1])).size, 3);
  for (const line of first) assert.match(line, /^[1-3] [\x21-\x7e]{1,70}$/);
  assert.deepEqual(await uids(), first);
  await server.converse([...login, 'DELE 1', 'QUIT']);
  const renumbered = first
    .slice(1)
    .map((line) => line.replace(/^[0-9]+/, (number) => String(Number(number) - 1)));
  assert.deepEqual(await uids(), renumbered);
});

test('M13: mail that arrives during a session is not seen in it, and is there after its QUIT', async () => {
  const { server, store } = stored(['a\r\n', 'b\r\n']);
  const said = await server.converse(
    (async function* () {
      yield* [...login, 'DELE 1'];
      store.deliver('mrose', [latin1('new\r\n')]);
      yield* ['STAT', 'LIST 3', 'RETR 3', 'QUIT'];
    })(),
  );
  assert.deepEqual(said.slice(4), [
    '+OK 1 3',
    '-ERR there is no message 3',
    '-ERR there is no message 3',
    '+OK bye',
  ]);
  assert.deepEqual((await server.converse([...login, 'UIDL'])).slice(4, -1), ['1 letter-2', '2 letter-3']);
});

test('M14: a message that somebody took away is refused with [SYS/TEMP], and QUIT is right all the same', async () => {
  const { server, store } = stored(['a\r\n', 'b\r\n', 'c\r\n']);
  const said = await server.converse(
    (async function* () {
      yield* login;
      store.removeBehind('mrose', 1);
      yield* ['RETR 2', 'TOP 2 0', 'DELE 3', 'RETR 1', 'QUIT'];
    })(),
  );
  assert.deepEqual(said.slice(3), [
    '-ERR [SYS/TEMP] the message is gone',
    '-ERR [SYS/TEMP] the message is gone',
    '+OK message 3 deleted',
    '+OK 3 octets',
    'a',
    '.',
    '+OK bye',
  ]);
  assert.deepEqual(store.stored('mrose').map(String), ['a\r\n']);
});

test('M14: a store that breaks in the middle of a message ends the session without the final dot, and deletes nothing', async () => {
  class Torn extends MemoryMaildrop {
    override async *read(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half\r\n');
      throw new Error('EIO');
    }
  }
  const maildrop = new Torn(['half\r\nwhole\r\n']);
  const server = new TestServer([memoryHost(maildrop)]);
  const { said, reports } = await server.record([...login, 'DELE 1', 'RSET', 'RETR 1', 'QUIT']);
  assert.deepEqual(said.slice(5), ['+OK 13 octets', 'half']);
  assert.equal(reports[0]?.ending, 'failed');
  assert.equal(maildrop.kept().length, 1);
  assert.equal(maildrop.closings, 1);
  assert.match(String(server.log.find(({ level }) => level === 'error')?.fields['error']), /EIO/);
});

test('M15: a client that leaves in the middle of RETR has deleted nothing, and the message is read no further', async () => {
  let readOctets = 0;
  let closed = false;
  class Endless extends MemoryMaildrop {
    override async *read(): AsyncGenerator<Uint8Array> {
      try {
        for (; readOctets < 1e9; readOctets += 1000) yield Buffer.alloc(1000, 'x');
      } finally {
        closed = true;
      }
    }
  }
  const maildrop = new Endless(['a\r\n', 'b\r\n']);
  const server = new TestServer([memoryHost(maildrop)]);
  const { reports } = await server.record([...login, 'DELE 2', 'RETR 1', 'QUIT'], { afterSentOctets: 5000 });
  assert.ok(readOctets < 100_000, `${readOctets} octets were read for nobody`);
  assert.ok(closed);
  assert.equal(reports[0]?.ending, 'disconnected');
  assert.equal(maildrop.kept().length, 2);
  assert.equal(maildrop.closings, 1);
  assert.deepEqual(
    server.log.filter(({ level }) => level === 'error'),
    [],
  );
});

test('M16: LAST is unknown until a plugin brings it, and a plugin can', async () => {
  assert.deepEqual(await afterLogin(mail(), ['LAST']), ['-ERR unknown command']);
  const server = new TestServer([last, memoryHost(mail())]);
  const said = await server.converse([
    ...login,
    'LAST',
    'RETR 3',
    'LAST',
    'RETR 1',
    'LAST',
    'DELE 3',
    'LAST',
    'RSET',
    'LAST',
  ]);
  assert.deepEqual(
    said.filter((line) => /^\+OK [0-9]+ is/.test(line)),
    [
      '+OK 0 is the last message seen',
      '+OK 3 is the last message seen',
      '+OK 3 is the last message seen',
      '+OK 3 is the last message seen',
      '+OK 0 is the last message seen',
    ],
  );
});

/** LAST of RFC 1460, as a plugin might do it: the highest number of a message that the session has read. */
const last = testPlugin('last', ({ commands, hooks }) => {
  const highest = new WeakMap<Maildrop, number>();
  hooks.maildrop.tapPromise('last', async (maildrop) => {
    const watched: Maildrop = {
      count: maildrop.count,
      totalOctets: maildrop.totalOctets,
      octetsOf: (index) => maildrop.octetsOf(index),
      uidOf: (index) => maildrop.uidOf(index),
      read(index, signal) {
        highest.set(watched, Math.max(highest.get(watched) ?? 0, index + 1));
        return maildrop.read(index, signal);
      },
      commit: (deleted) => maildrop.commit(deleted),
      close: () => maildrop.close(),
    };
    return watched;
  });
  hooks.command.for('RSET').tapPromise('last', async (session) => {
    if (session.state === 'TRANSACTION') highest.delete(session.maildrop);
    return undefined;
  });
  commands.add(
    defineCommand({
      keyword: 'LAST',
      states: ['TRANSACTION'],
      usage: 'LAST',
      parse: () => undefined,
      run: (_, { maildrop }) => ok(`${highest.get(maildrop) ?? 0} is the last message seen`),
    }),
  );
});

test('M17: a maildrop of a million messages is listed whole, and line by line', async () => {
  const { said } = await new TestServer([memoryHost(huge())]).record([...login, 'LIST', 'STAT']);
  assert.equal(said.length, 3 + 1 + 1_000_000 + 1 + 1);
  assert.equal(said.at(-3), '1000000 3');
  assert.equal(said.at(-1), '+OK 1000000 3000000');
});

test('M17: a client that leaves after the first lines of a huge list costs no more than those', async () => {
  const maildrop = huge();
  await new TestServer([memoryHost(maildrop)]).record(withLogin(['UIDL']), { afterSentOctets: 2000 });
  assert.ok(maildrop.asked < 10_000, `${maildrop.asked} messages were asked about`);
});

class Huge extends MemoryMaildrop {
  override readonly count = 1_000_000;
  override readonly totalOctets = 3_000_000;
  asked = 0;

  override octetsOf(): number {
    return 3;
  }

  override uidOf(index: number): string {
    this.asked += 1;
    return `uid-${index}`;
  }
}

const huge = () => new Huge([]);

function stored(texts: readonly string[]): { readonly server: TestServer; readonly store: MemoryStore } {
  const state = memoryState();
  const store = new MemoryStore(state);
  store.deliver(identityOf('mrose').user, texts.map(latin1));
  return { server: new TestServer([memoryHost((identity) => store.open(identity))], { state }), store };
}
