import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { defineCommand, Failure, type Maildrop, ok, type Reply } from 'popperd';
import {
  memoryHost,
  MemoryMaildrop,
  memoryMaildrop,
  testPlugin,
  TestServer,
  type TestServerOptions,
} from 'popperd/testing';

const login = ['USER mrose', 'PASS secret'];

/** Nothing can be removed from it, and who tries breaks the test. */
class Board extends MemoryMaildrop {
  readonly readOnly = true;

  boardNumberOf(index: number): number {
    return 40 + index;
  }

  override async commit(): Promise<void> {
    throw new Error('a board is read only');
  }
}

const countIn = ({ count }: Maildrop): Reply => ok(`${count} here`);

/** A plugin with commands ENTER, which opens the maildrop it is given, and BACK, which opens the user's own. */
const gate = (open: () => Promise<Maildrop>, hello: (maildrop: Maildrop) => Reply) =>
  testPlugin('gate', ({ commands }) => {
    for (const [keyword, entrance] of [['ENTER', { open, hello }] as const, ['BACK', { hello }] as const]) {
      const run = () => ({ kind: 'enter', ...entrance }) as const;
      commands.add(
        defineCommand({ keyword, states: ['TRANSACTION'], usage: keyword, parse: () => undefined, run }),
      );
    }
  });

/** A store that opens what is left in the same mail each time, and counts. */
function site(
  open: () => Promise<Maildrop>,
  changes: Partial<Pick<Maildrop, 'commit'>> = {},
  settings: TestServerOptions['settings'] = {},
  hello = countIn,
) {
  const opened: MemoryMaildrop[] = [];
  const openOwn = (): Maildrop => {
    const kept = opened.at(-1)?.kept() ?? ['a\r\n', 'bb\r\n', 'ccc\r\n'];
    const drop = memoryMaildrop(kept);
    opened.push(drop);
    return Object.assign(drop, changes);
  };
  return { opened, server: new TestServer([gate(open, hello), memoryHost(openOwn)], { settings }) };
}

test('entering another maildrop removes what is marked in the own one and lets go of it first', async () => {
  const board = new Board(['news\r\n', 'more\r\n']);
  const { opened, server } = site(async () => {
    assert.deepEqual([opened[0]?.kept(), opened[0]?.closings], [['bb\r\n', 'ccc\r\n'], 1]);
    return board;
  });
  const { said, reports } = await server.record([...login, 'DELE 1', 'ENTER', 'LIST', 'LIST 2', 'QUIT']);
  assert.deepEqual(said.slice(4), [
    '+OK 2 here',
    '+OK 2 messages (12 octets)',
    '1 6 40',
    '2 6 41',
    '.',
    '+OK 2 6 41',
    '+OK bye',
  ]);
  assert.equal(board.closings, 1);
  const [report] = reports;
  assert.deepEqual(
    [report?.ending, report?.deleted, report?.left],
    ['quit', { messages: 1, octets: 3 }, { messages: 2, octets: 9 }],
  );
});

test('in a maildrop that is read only a mark hides a message, and removes none', async () => {
  const { server } = site(async () => new Board(['news\r\n', 'more\r\n']));
  const said = await server.converse([...login, 'ENTER', 'DELE 1', 'STAT', 'QUIT']);
  assert.deepEqual(said.slice(4), ['+OK message 1 deleted', '+OK 1 6', '+OK bye']);
});

test('the way back leads into the own maildrop as it is now, and the report counts all that was removed', async () => {
  const { opened, server } = site(async () => new Board(['news\r\n']));
  const { said, reports } = await server.record([
    ...login,
    'DELE 1',
    'ENTER',
    'DELE 1',
    'BACK',
    'DELE 1',
    'QUIT',
  ]);
  assert.equal(said[6], '+OK 2 here');
  assert.deepEqual(
    opened.map(({ closings }) => closings),
    [1, 1],
  );
  assert.deepEqual(reports[0]?.deleted, { messages: 2, octets: 7 });
  assert.deepEqual(reports[0]?.left, { messages: 1, octets: 5 });
});

test('a client that leaves while in another maildrop has deleted what it had marked before', async () => {
  const board = new Board(['news\r\n']);
  const { opened, server } = site(async () => board);
  const { reports } = await server.record([...login, 'DELE 3', 'ENTER', 'DELE 1']);
  assert.deepEqual([opened[0]?.kept(), board.closings], [['a\r\n', 'bb\r\n'], 1]);
  assert.equal(reports[0]?.ending, 'disconnected');
});

test('where there is no way in, the client is told why and is in its own maildrop again', async () => {
  const { opened, server } = site(async () => {
    throw new Failure('no such bboard');
  });
  const said = await server.converse([...login, 'DELE 1', 'ENTER', 'STAT', 'QUIT']);
  assert.deepEqual(said.slice(4), ['-ERR no such bboard', '+OK 2 9', '+OK bye']);
  assert.equal(opened.length, 2);
});

const commit = async (): Promise<never> => {
  throw new Failure('the disk is full', { code: 'SYS/TEMP' });
};

test('where what is marked cannot be removed, the client is told so and stays in its own maildrop', async () => {
  const { server } = site(async () => new Board([]), { commit });
  const said = await server.converse([...login, 'DELE 1', 'ENTER', 'STAT', 'QUIT']);
  assert.deepEqual(said.slice(4), ['-ERR [SYS/TEMP] the disk is full', '+OK 3 12', '+OK bye']);
});

test('an entrance that is none in form costs one -ERR, and the session goes on', async () => {
  const broken = testPlugin('broken', ({ commands }) => {
    commands.add(
      defineCommand({
        keyword: 'ENTER',
        states: ['TRANSACTION'],
        usage: 'ENTER',
        parse: () => undefined,
        run: () => Object.assign({ kind: 'quit' } as const, { kind: 'enter', hello: 'not a function' }),
      }),
    );
  });
  const server = new TestServer([broken, memoryHost(memoryMaildrop(['a\r\n']))]);
  const said = await server.converse([...login, 'ENTER', 'STAT', 'QUIT']);
  assert.match(said[3] ?? '', /^-ERR \[SYS\/TEMP\]/);
  assert.deepEqual(said.slice(4), ['+OK 1 3', '+OK bye']);
});

test('a maildrop that opens when nobody waits for it any more is closed', async () => {
  const board = new Board(['news\r\n']);
  const late = Promise.withResolvers<Maildrop>();
  const { server } = site(() => late.promise, {}, { hookDeadlineMs: 20 });
  const said = await server.converse([...login, 'ENTER', 'STAT', 'QUIT']);
  assert.match(said[3] ?? '', /^-ERR \[SYS\/TEMP\]/);
  assert.deepEqual(said.slice(4), ['+OK 3 12', '+OK bye']);
  late.resolve(board);
  await late.promise;
  await turn();
  assert.equal(board.closings, 1);
});

for (const [what, hello] of [
  [
    'fails',
    () => {
      throw new Error('no words');
    },
  ],
  ['is no reply', () => JSON.parse('"welcome"')],
] as const) {
  test(`where what is said in a maildrop ${what}, the client is in its own one again, and no other stays open`, async () => {
    const board = new Board(['news\r\n']);
    const { opened, server } = site(async () => board, {}, {}, hello);
    const said = await server.converse([...login, 'ENTER', 'STAT', 'BACK', 'STAT', 'QUIT']);
    assert.match(said[3] ?? '', /^-ERR \[SYS\/TEMP\]/);
    assert.match(said[5] ?? '', /^-ERR \[SYS\/TEMP\]/);
    assert.deepEqual([said[4], ...said.slice(6)], ['+OK 3 12', '+OK 3 12', '+OK bye']);
    assert.deepEqual([board.closings, ...opened.map(({ closings }) => closings)], [1, 1, 1, 1]);
  });
}
