import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineCommand, err, ok, type Reply, type Take } from 'popperd';
import {
  type Client,
  latin1,
  memoryHost,
  memoryMaildrop,
  pipelined,
  testPlugin,
  TestServer,
} from 'popperd/testing';

const login = ['USER mrose', 'PASS secret'];

/** A taker as plain JavaScript has it, whose answers no type has checked. */
type PlainTake = (body: AsyncIterable<Uint8Array>) => unknown;

/** A plugin with a command SEND that gives what the client sends to `take`. */
const post = (take: PlainTake) =>
  testPlugin('post', ({ commands }) => {
    commands.add(
      defineCommand({
        keyword: 'SEND',
        states: ['TRANSACTION'],
        usage: 'SEND',
        parse: () => undefined,
        run: () => Object.assign({ kind: 'receive', go: ok('send it'), take: showAll } as const, { take }),
      }),
    );
  });

const serve = (take: PlainTake) => new TestServer([post(take), memoryHost(memoryMaildrop(['a\r\n']))]);

/** Takes everything, and shows it in its answer. */
async function showAll(body: AsyncIterable<Uint8Array>): Promise<Reply> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return ok(JSON.stringify(Buffer.concat(chunks).toString('latin1')));
}

const talk = async (take: PlainTake, lines: Client) => {
  const server = serve(take);
  const { said, reports } = await server.record(
    (async function* () {
      yield* login;
      yield* lines;
    })(),
  );
  return { said: said.slice(3), server, report: reports[0] };
};

test('a text that the client sends arrives with its dots as they were, and commands follow it', async () => {
  const { said } = await talk(showAll, ['SEND', 'Subject: x', '', '..', '...two', '.', 'STAT']);
  assert.deepEqual(said, ['+OK send it', String.raw`+OK "Subject: x\r\n\r\n.\r\n..two\r\n"`, '+OK 1 3']);
});

test('a text sent in one segment with its command and the next one is the same', async () => {
  const { said } = await talk(showAll, [pipelined('SEND', 'a', '..b', '.', 'STAT', 'QUIT')]);
  assert.deepEqual(said, ['+OK send it', String.raw`+OK "a\r\n.b\r\n"`, '+OK 1 3', '+OK bye']);
});

test('a text that is not taken to its end is not run as commands', async () => {
  const { said } = await talk(
    async (body) => {
      for await (const chunk of body) return err(`refused at ${String(chunk).trim()}`);
      return ok();
    },
    ['SEND', 'first', 'DELE 1', '.', 'LIST 1'],
  );
  assert.deepEqual(said, ['+OK send it', '-ERR refused at first', '+OK 1 3']);
});

const troubles: readonly (readonly [what: string, take: PlainTake])[] = [
  [
    'throws at once',
    () => {
      throw new Error('oops');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('oops'))],
  ['answers with nothing', async () => undefined],
  ['is no async function and answers with nonsense', () => 'thanks'],
];

for (const [what, take] of troubles) {
  test(`a taker that ${what} costs one -ERR, and the text is not run as commands`, async () => {
    const { said } = await talk(take, ['SEND', 'DELE 1', '.', 'STAT']);
    assert.deepEqual(said, ['+OK send it', '-ERR [SYS/TEMP] internal error, try again later', '+OK 1 3']);
  });
}

test('a client that leaves in the middle of a text has sent none: whoever takes it is told', async () => {
  const outcomes: string[] = [];
  const take: Take = async (body) => {
    const reply = await showAll(body).catch((error: unknown) => {
      outcomes.push(String(error));
      throw error;
    });
    outcomes.push('sent');
    return reply;
  };
  const { said, report } = await talk(take, ['SEND', 'Subject: half', latin1('.\r')]);
  assert.deepEqual(outcomes, ['Failure: the text was cut off']);
  assert.deepEqual(said.slice(0, 1), ['+OK send it']);
  assert.equal(report?.ending, 'disconnected');
});

test('a client that leaves in the middle of a text that nobody wants ends the session quietly', async () => {
  const { server, report } = await talk(async () => err('no'), ['SEND', 'Subject: half']);
  assert.equal(report?.ending, 'disconnected');
  assert.deepEqual(
    server.log.filter(({ level }) => level === 'error'),
    [],
  );
});

test('a command that wants to receive before the login is refused', async () => {
  const early = testPlugin('early', ({ commands }) => {
    commands.add(
      defineCommand({
        keyword: 'SEND',
        states: ['AUTHORIZATION'],
        usage: 'SEND',
        parse: () => undefined,
        run: () => ({ kind: 'receive', go: ok('send it'), take: showAll }),
      }),
    );
  });
  assert.deepEqual((await new TestServer([early]).converse(['SEND', 'QUIT'])).slice(1), [
    '-ERR log in first',
    '+OK bye',
  ]);
});
