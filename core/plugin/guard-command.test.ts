import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineCommand, ok, type Command, type Outcome, type Reply } from 'popperd';
import { memoryHost, memoryMaildrop, type MemoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

import { never, running, SocketClient } from '../server/testing/daemon-under-test.ts';

const login = ['USER mrose', 'PASS secret'];
const hookDeadlineMs = 100;
const internal = '-ERR [SYS/TEMP] internal error, try again later';

/** A command that answers what no compiler has looked at. */
const odd = (answers: () => unknown): Command => {
  const command = defineCommand({
    keyword: 'X-ODD',
    states: ['TRANSACTION'],
    usage: 'X-ODD [n]',
    parse: (args) => args.optional((rest) => rest.number()),
    run: () => ok(),
  });
  return { ...command, forSession: (session) => withAnswer(command.forSession(session), answers) };
};

function withAnswer(ready: ReturnType<Command['forSession']>, answers: () => unknown) {
  return (
    ready &&
    (async (text: string): Promise<Reply | Outcome> => {
      await ready(text);
      return Object.assign(ok(), await answers());
    })
  );
}

const pluginOf = (answers: () => unknown, maildrop: MemoryMaildrop = memoryMaildrop(['a\r\n'])) =>
  testPlugin('odd', (popper) => {
    popper.commands.add(odd(answers));
    memoryHost(maildrop).apply(popper);
  });

const errorsOf = (log: TestServer['log'] | readonly { readonly level: string; readonly fields: object }[]) =>
  log.filter(({ level }) => level === 'error').map(({ fields }) => String(Reflect.get(fields, 'error')));

test('a command that hangs is answered for, and its session goes on and lets go of the maildrop', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const { daemon, port, log } = await running(pluginOf(never, maildrop), { hookDeadlineMs });
  const client = new SocketClient(port);
  client.send(...login, 'X-ODD', 'STAT', 'QUIT');
  assert.match(await client.ended(), /internal error, try again later\r\n\+OK 1 3\r\n\+OK bye\r\n$/);
  assert.equal(maildrop.closings, 1);
  assert.deepEqual(errorsOf(log), ['PluginFault: plugin odd, command X-ODD: did not answer within 100 ms']);
  await daemon.stop();
});

test('a client that leaves while a command hangs keeps its maildrop no longer than the deadline', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const { daemon, port } = await running(pluginOf(never, maildrop), { hookDeadlineMs });
  const client = new SocketClient(port);
  client.send(...login, 'X-ODD');
  client.socket.end();
  await client.ended();
  assert.equal(maildrop.closings, 1);
  await daemon.stop();
});

for (const [what, answers, says] of [
  ['throws', () => Promise.reject(new Error('oops')), 'oops'],
  ['answers nonsense', () => ({ status: 'fine' }), 'answered .* where it is to be a reply or an outcome'],
  [
    'takes a message and answers it with nonsense',
    () => ({ status: undefined, kind: 'receive', go: ok('go'), take: () => 5 }),
    'answered number where it is to be a reply',
  ],
  [
    'takes a message and hangs when it has it',
    () => ({ status: undefined, kind: 'receive', go: ok('go'), take: takeAndHang }),
    'did not answer within 100 ms',
  ],
  [
    'takes a message and hangs in the middle of it',
    () => ({ status: undefined, kind: 'receive', go: ok('go'), take: never }),
    'did not answer within 100 ms',
  ],
] as const) {
  test(`a command that ${what} costs one right answer, and the log names plugin and command`, async () => {
    const server = new TestServer([pluginOf(answers)], { settings: { hookDeadlineMs } });
    const said = await server.converse([...login, 'X-ODD', 'text', '.', 'STAT']);
    assert.ok(said.includes(internal), said.join('\n'));
    assert.equal(said.at(-1), '+OK 1 3');
    assert.match(errorsOf(server.log)[0] ?? '', new RegExp(`plugin odd, command X-ODD: ${says}`));
  });
}

async function takeAndHang(body: AsyncIterable<Uint8Array>): Promise<Reply> {
  for await (const chunk of body) assert.ok(chunk.length > 0);
  return never();
}

test("arguments that do not fit are the client's mistake: it hears the usage, and nobody is blamed", async () => {
  const server = new TestServer([pluginOf(() => ({}))]);
  const said = await server.converse([...login, 'X-ODD x', 'X-ODD 1']);
  assert.deepEqual(said.slice(-2), ['-ERR usage: X-ODD [n]', '+OK']);
  assert.deepEqual(errorsOf(server.log), []);
});

const takeAll = async (body: AsyncIterable<Uint8Array>): Promise<Reply> => {
  for await (const chunk of body) assert.ok(chunk.length > 0);
  return ok('taken');
};

const receiveAll = () => ({ status: undefined, kind: 'receive', go: ok('go'), take: takeAll });

test('a client that is slow to send its message is waited for', async () => {
  const { daemon, port } = await running(pluginOf(receiveAll), { hookDeadlineMs: 20 });
  const client = new SocketClient(port);
  client.send(...login, 'X-ODD');
  await client.hears(/go\r\n/);
  await new Promise((resolve) => setTimeout(resolve, 60));
  client.send('text', '.', 'QUIT');
  assert.match(await client.ended(), /taken\r\n\+OK bye\r\n$/);
  await daemon.stop();
});
