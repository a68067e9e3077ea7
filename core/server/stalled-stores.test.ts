import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { granted } from '../auth/login.ts';
import { defineCommand } from '../commands/command.ts';
import type { LogRecord } from '../log/logger.ts';
import { okLines } from '../protocol/reply.ts';
import { memoryHost, memoryMaildrop, testPlugin } from '../testing.ts';
import { identityOf } from '../testing/memory-host.ts';
import { changed, never, running, SocketClient } from './testing/daemon-under-test.ts';

const login = ['USER mrose', 'PASS secret'];
/** So long a store may take here to do anything, in milliseconds. */
const hookDeadlineMs = 100;

async function* halfAndNever(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half\r\n');
  await never();
}

for (const command of ['RETR 1', 'TOP 1 5']) {
  test(`a message that does not go on is torn, long before a silent client is sent away, and the log names the store: ${command}`, async () => {
    const maildrop = memoryMaildrop(['a\r\n']);
    const half = changed(maildrop, { read: halfAndNever });
    const { daemon, port, log } = await running(memoryHost(half), { hookDeadlineMs });
    const client = new SocketClient(port);
    client.send(...login, command, 'DELE 1', 'QUIT');
    const heard = await client.ended();
    await daemon.stop();
    assert.doesNotMatch(heard, /\r\n\.\r\n|bye/, 'half a message has no end');
    assert.deepEqual([maildrop.closings, maildrop.kept().length], [1, 1]);
    assert.deepEqual(hangs(log), [['memory-host', command.split(' ')[0]]]);
    const session = log.find(({ message }) => message === 'session');
    assert.match(JSON.stringify(session?.fields), /"ending":"failed".*no answer within 100 ms/);
  });

  test(`a message that does not begin is refused in time, and the session goes on: ${command}`, async () => {
    const maildrop = memoryMaildrop(['a\r\n']);
    const closings: string[] = [];
    const late = Promise.withResolvers<IteratorResult<Uint8Array>>();
    const chunks = {
      next: () => late.promise,
      return: async () => ({ done: true as const, value: void closings.push('closed') }),
    };
    const stuck = changed(maildrop, { read: () => ({ [Symbol.asyncIterator]: () => chunks }) });
    const { daemon, port, log } = await running(memoryHost(stuck), { hookDeadlineMs });
    const client = new SocketClient(port);
    client.send(...login, command, 'STAT', 'QUIT');
    const heard = await client.ended();
    late.resolve({ done: false, value: Buffer.from('a\r\n') });
    await daemon.stop();
    assert.match(heard, /-ERR \[SYS\/TEMP\] no answer for too long.*\r\n\+OK 1 3\r\n\+OK bye\r\n$/);
    assert.deepEqual(hangs(log), [['memory-host', command.split(' ')[0]]]);
    assert.deepEqual(closings, ['closed'], 'what comes too late is let go of');
  });
}

async function* oneAndNever(): AsyncGenerator<string> {
  yield '1 one';
  await never();
}

const neverEndingList = () => okLines('here they come', oneAndNever());

test('lines that do not go on are torn as well, and the log names the command', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const plugin = testPlugin('slow-lines', (popper) => {
    const { hooks, commands } = popper;
    hooks.authenticate.tapPromise('slow-lines', async ({ user }) => granted(identityOf(user)));
    hooks.openMaildrop.tapPromise('slow-lines', async () => maildrop);
    commands.add(
      defineCommand({
        keyword: 'XLIST',
        states: ['TRANSACTION'],
        usage: 'XLIST',
        parse: () => undefined,
        run: neverEndingList,
      }),
    );
  });
  const { daemon, port, log } = await running(plugin, { hookDeadlineMs });
  const client = new SocketClient(port);
  client.send(...login, 'XLIST', 'QUIT');
  const heard = await client.ended();
  await daemon.stop();
  assert.match(heard, /here they come\r\n1 one\r\n$/);
  assert.deepEqual(hangs(log), [['slow-lines', 'XLIST']]);
});

/** Which plugins were said to hang, and at what. */
const hangs = (log: readonly LogRecord[]): readonly (readonly unknown[])[] =>
  log.flatMap(({ message, fields }) =>
    message === 'a plugin hangs' ? [[fields['plugin'], fields['command']]] : [],
  );

test('a store that takes its time for each piece, but less than it may, is waited for', async () => {
  const pieces = Array.from({ length: 8 }, (_, number) => `line ${number}\r\n`);
  const slow = changed(memoryMaildrop([pieces.join('')]), {
    async *read() {
      for (const piece of pieces) {
        await delay(60);
        yield Buffer.from(piece);
      }
    },
  });
  const { daemon, port } = await running(memoryHost(slow), { hookDeadlineMs: 300 });
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1', 'QUIT');
  assert.match(await client.ended(), /line 0\r\n(?:.*\r\n)*line 7\r\n\.\r\n\+OK bye\r\n$/);
  await daemon.stop();
});

test('a client that takes longer to read than a store may take to answer is no fault of the store', async () => {
  const chunk = Buffer.alloc(64 * 1024, `${'x'.repeat(62)}\r\n`);
  const large = changed(memoryMaildrop(['a\r\n']), {
    octetsOf: () => chunk.length * 400,
    async *read() {
      for (let number = 0; number < 400; number += 1) yield chunk;
    },
  });
  const { daemon, port, log } = await running(memoryHost(large), { hookDeadlineMs });
  const client = new SocketClient(port);
  client.send(...login);
  await client.hears(/maildrop has/);
  client.socket.pause();
  client.send('RETR 1', 'QUIT');
  await delay(hookDeadlineMs * 5);
  client.socket.resume();
  assert.match((await client.ended()).slice(-20), /\r\n\.\r\n\+OK bye\r\n$/);
  await daemon.stop();
  assert.ok(!log.some(({ message }) => message === 'a plugin hangs'));
});
