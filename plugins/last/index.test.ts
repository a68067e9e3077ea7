import assert from 'node:assert/strict';
import { test } from 'node:test';

import { definePlugin, defineCommand, ok } from 'popperd';
import { memoryHost, memoryMaildrop, MemoryMaildrop, TestServer, transcript } from 'popperd/testing';

import last from './index.ts';

type Meaning = 'accessed' | 'ucb' | 'read';

const login = ['USER mrose', 'PASS secret'];
const plain = ['a\r\n', 'b\r\n', 'c\r\n', 'd\r\n', 'e\r\n'];

/** What LAST answers each time it is asked in a session of these lines. */
async function lasts(
  meaning: Meaning,
  lines: readonly string[],
  maildrop: MemoryMaildrop = memoryMaildrop(plain),
): Promise<readonly string[]> {
  const server = new TestServer([memoryHost(maildrop), last({ meaning })]);
  const { turns } = await server.record([...login, ...lines, 'QUIT']);
  const said = turns.map(({ by, octets }) => ({
    by,
    text: Buffer.from(octets).toString('latin1').trimEnd(),
  }));
  return said.flatMap(({ by, text }, index) =>
    by === 'client' && /^last$/i.test(text) ? [said[index + 1]?.text ?? ''] : [],
  );
}

test('LAST tells a client the highest message it has had in this session, and RSET forgets it', async () => {
  const lines = [
    'LAST',
    'RETR 2',
    'LAST',
    'RETR 1',
    'last',
    'TOP 3 0',
    'LAST',
    'DELE 5',
    'LAST',
    'RSET',
    'LAST',
  ];
  assert.deepEqual(await lasts('accessed', lines), ['+OK 0', '+OK 2', '+OK 2', '+OK 3', '+OK 5', '+OK 0']);
});

test('a message that was refused does not count', async () => {
  const lines = ['RETR 6', 'RETR x', 'TOP 4', 'DELE 99', 'DELE 3', 'RETR 3', 'LIST 5', 'UIDL 5', 'LAST'];
  assert.deepEqual(await lasts('accessed', lines), ['+OK 3']);
});

const seen = (number: number): string => `+OK ${number} is the last message seen.`;

test('as BSD had it, TOP does not count, DELE does, and the answer is a sentence', async () => {
  const lines = ['LAST', 'TOP 5 0', 'RETR 1', 'LAST', 'DELE 3', 'LAST', 'RSET', 'LAST'];
  assert.deepEqual(await lasts('ucb', lines), [seen(0), seen(1), seen(3), seen(0)]);
});

const read = (number: number): string => `+OK ${number} is the last read message.`;
const marked = (): MemoryMaildrop =>
  memoryMaildrop([
    'Status: RO\n\na\n',
    'Status: RO\n\nb\n',
    'Status: O\n\nStatus: R\n',
    'Subject: new\n\nd\n',
  ]);

test('a message that was read in an earlier session counts until it is deleted', async () => {
  const lines = ['LAST', 'DELE 2', 'LAST', 'DELE 1', 'LAST', 'RSET', 'LAST'];
  assert.deepEqual(await lasts('read', lines, marked()), [2, 1, 0, 2].map(read));
});

test('a message that is retrieved counts as read, until RSET brings back what was at the login', async () => {
  const lines = ['TOP 4 1', 'LAST', 'RETR 4', 'LAST', 'DELE 4', 'LAST', 'RSET', 'LAST'];
  assert.deepEqual(await lasts('read', lines, marked()), [2, 4, 2, 2].map(read));
});

test('a client that asks again and again does not have its mail read again and again', async () => {
  let reads = 0;
  class Counted extends MemoryMaildrop {
    override read(index: number): AsyncGenerator<Uint8Array> {
      reads += 1;
      return super.read(index);
    }
  }
  const many = Array.from({ length: 500 }, () => 'Subject: new\n\n');
  const drop = new Counted(['Status: R\n\n', ...many]);
  assert.deepEqual(await lasts('read', ['LAST', 'LAST', 'DELE 1', 'LAST'], drop), [1, 1, 0].map(read));
  assert.equal(reads, 501);
});

test('no more mail is read than has to be: what is new lies at the end', async () => {
  const reads: number[] = [];
  class Noted extends MemoryMaildrop {
    override read(index: number): AsyncGenerator<Uint8Array> {
      reads.push(index);
      return super.read(index);
    }
  }
  const drop = new Noted(
    Array.from({ length: 10_000 }, (_, index) => (index < 9990 ? 'Status: R\n\n' : 'A: b\n\n')),
  );
  assert.deepEqual(await lasts('read', ['LAST'], drop), [read(9990)]);
  assert.ok(reads.length < 100, `${reads.length} messages were read`);
});

test('others are served while 5000 messages in memory are looked through in vain', async () => {
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  const drop = memoryMaildrop(Array.from({ length: 5000 }, () => 'A: b\n\n'));
  assert.deepEqual(await lasts('read', ['LAST'], drop), [read(0)]);
  clearInterval(timer);
  assert.ok(turns > 1, `${turns} turns`);
});

const hello = () => ok('here');

test('a maildrop that is entered has its own count, and the one that is returned to begins anew', async () => {
  const gate = definePlugin({
    name: 'gate',
    apply({ commands }) {
      const entrances = { ENTER: { open: async () => memoryMaildrop(plain), hello }, BACK: { hello } };
      for (const [keyword, entrance] of Object.entries(entrances)) {
        const run = () => ({ kind: 'enter', ...entrance }) as const;
        commands.add(
          defineCommand({ keyword, states: ['TRANSACTION'], usage: keyword, parse: () => undefined, run }),
        );
      }
    },
  });
  const server = new TestServer([memoryHost(() => memoryMaildrop(plain)), last(), gate()]);
  const said = await server.converse([
    ...login,
    'TOP 4 0',
    'LAST',
    'ENTER',
    'LAST',
    'TOP 2 0',
    'LAST',
    'BACK',
    'LAST',
    'QUIT',
  ]);
  assert.deepEqual(
    said.filter((line) => /^\+OK \d$/.test(line)),
    ['+OK 4', '+OK 0', '+OK 2', '+OK 0'],
  );
});

test('nobody is told of LAST by CAPA, and it has no place before the login', async () => {
  const server = new TestServer([memoryHost(memoryMaildrop(plain)), last()]);
  const said = await server.converse(['LAST', 'CAPA', ...login, 'CAPA', 'LAST 1', 'QUIT']);
  assert.match(said[1] ?? '', /^-ERR/);
  assert.ok(!said.includes('LAST'));
  assert.ok(said.includes('-ERR usage: LAST'));
});

test('a meaning that there is none of is refused with those that there are', () => {
  const [problem] = last({ meaning: JSON.parse('"seen"') }).problems;
  assert.equal(problem?.message, 'expected "accessed", "ucb" or "read"');
});

test('a whole session in the words of the classic popper', async () => {
  await transcript(
    `Replies: classic
Message: 120 octets
Message: 140 octets

S: +OK <any>
C: USER mrose
S: +OK Password required for mrose.
C: PASS secret
S: +OK mrose has 2 messages (260 octets).
C: LAST
S: +OK 0 is the last message seen.
C: RETR 1
S: +OK 120 octets
S: <message 1>
S: .
C: LAST
S: +OK 1 is the last message seen.
C: DELE 2
S: +OK Message 2 has been deleted.
C: LAST
S: +OK 2 is the last message seen.
C: RSET
S: +OK Maildrop has 2 messages (260 octets)
C: LAST
S: +OK 0 is the last message seen.
C: LAST 1
S: -ERR Too many arguments for the last command.
C: QUIT
S: +OK <any>
`,
    [last({ meaning: 'ucb' })],
  );
});
