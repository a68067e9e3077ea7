import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Maildrop } from '../maildrop/maildrop.ts';
import { Failure } from '../protocol/failure.ts';
import { memoryHost, memoryMaildrop } from '../testing.ts';
import { changed, never, running, SocketClient } from './testing/daemon-under-test.ts';

const login = ['USER mrose', 'PASS secret'];
/** So long a store may take here to do anything, in milliseconds. */
const hookDeadlineMs = 100;

test('a store that never closes costs the client a moment and a later login nothing', async () => {
  const { daemon, port, log } = await running(
    memoryHost(changed(memoryMaildrop(['a\r\n']), { close: never })),
    { hookDeadlineMs },
  );
  const client = new SocketClient(port);
  client.send(...login, 'QUIT');
  assert.match(await client.ended(), /\+OK bye\r\n$/);
  await daemon.stop();
  assert.ok(log.some(({ message }) => message === 'closing the maildrop failed'));
});

async function* halfAndNever(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half\r\n');
  await never();
}

test('a store that hangs when it brings in its index is let go of once the client has gone, and told of in the log', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const stuck = changed(maildrop, { load: never });
  const { daemon, port, log } = await running(memoryHost(stuck), { hookDeadlineMs, idleTimeoutMs: 200 });
  const client = new SocketClient(port);
  client.send(...login, 'LIST', 'QUIT');
  assert.doesNotMatch(await client.ended(), /bye/);
  await daemon.stop();
  assert.equal(maildrop.closings, 1);
  assert.ok(log.some(({ message }) => message === 'a plugin hangs'));
});

test('a stop ends a session whose store hangs', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const { daemon, port } = await running(memoryHost(changed(maildrop, { read: halfAndNever })), {
    hookDeadlineMs,
    stopTimeoutMs: 100,
  });
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1');
  await client.hears(/3 octets\r\n/);
  await daemon.stop();
  assert.equal(maildrop.closings, 1);
  client.socket.destroy();
});

const openedSlowly = async (): Promise<Maildrop> => {
  await delay(400);
  return memoryMaildrop(['a\r\n']);
};

test('a maildrop that takes longer to open than a stranger may take is opened all the same', async () => {
  const { daemon, port } = await running(memoryHost(openedSlowly), { loginTimeoutMs: 200 });
  const client = new SocketClient(port);
  client.send(...login, 'STAT', 'QUIT');
  assert.match(await client.ended(), /\+OK 1 3\r\n\+OK bye\r\n$/);
  await daemon.stop();
});

test('a message whose store breaks in the middle of it has no end, and no last words in it at a stop', async () => {
  const broken = Promise.withResolvers<void>();
  const half = changed(memoryMaildrop(['a\r\n']), {
    async *read() {
      yield Buffer.from('half\r\n');
      await broken.promise;
      throw new Error('EIO');
    },
  });
  const { daemon, port } = await running(memoryHost(half));
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1', 'QUIT');
  await client.hears(/half\r\n|octets\)\r\n/);
  const stopped = daemon.stop();
  broken.resolve();
  assert.match(await client.ended(), /octets\r\nhalf\r\n$/);
  await stopped;
});

async function* threeOctets(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('a\r\n');
}

test('a message shorter than promised has no end, and nothing is deleted by a client that believes in it', async () => {
  const maildrop = memoryMaildrop(['all of it\r\n']);
  const { daemon, port, log } = await running(memoryHost(changed(maildrop, { read: threeOctets })));
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1', 'DELE 1', 'QUIT');
  assert.match(await client.ended(), /\+OK 11 octets\r\na\r\n$/);
  await daemon.stop();
  assert.equal(maildrop.kept().length, 1);
  assert.equal(maildrop.closings, 1);
  const fault = log.find(({ level }) => level === 'error');
  const { plugin, promised, sent } = fault?.fields ?? {};
  assert.deepEqual([plugin, promised, sent], ['memory-host', 11, 3]);
  const session = log.find(({ message }) => message === 'session');
  assert.deepEqual(
    [session?.fields['ending'], session?.fields['retrieved']],
    ['failed', { messages: 0, octets: 0 }],
  );
});

test('a message of many writes that is shorter than promised has no end either', async () => {
  const stored = `${'x'.repeat(98)}\r\n`.repeat(3000);
  const short = changed(memoryMaildrop([stored]), {
    async *read() {
      yield Buffer.from(stored).subarray(0, -100);
    },
  });
  const { daemon, port } = await running(memoryHost(short));
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1', 'NOOP', 'QUIT');
  assert.doesNotMatch(await client.ended(), /\r\n\.\r\n|bye/);
  await daemon.stop();
});

test('a message longer than promised is sent whole and ended, for nothing of it is lost', async () => {
  const maildrop = changed(memoryMaildrop(['\r\n']), { read: threeOctets });
  const { daemon, port, log } = await running(memoryHost(maildrop));
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1', 'TOP 1 5', 'QUIT');
  assert.match(await client.ended(), /\+OK 2 octets\r\na\r\n\.\r\n\+OK [^\r]*\r\na\r\n\.\r\n\+OK bye\r\n$/);
  await daemon.stop();
  const faults = log.filter(({ level }) => level === 'error');
  assert.deepEqual(
    faults.map(({ fields: { plugin, promised, sent } }) => [plugin, promised, sent]),
    [['memory-host', 2, 3]],
  );
});

const nonsense: readonly (readonly [what: string, chunk: unknown])[] = [
  ['a string', 'text\r\n'],
  ['a number', 5],
  ['an ArrayBuffer', new ArrayBuffer(8)],
  ['wider numbers than octets', new Uint16Array(3)],
  ['null', null],
];

for (const [what, chunk] of nonsense) {
  test(`a message read as ${what} where octets should be has no end`, async () => {
    const chunks = [Buffer.from('begun\r\n'), chunk, Buffer.from('ended\r\n')];
    const maildrop = changed(memoryMaildrop(['a\r\n']), {});
    // As from a plugin in plain JavaScript, which no compiler has looked at.
    Object.assign(maildrop, { read: () => ({ [Symbol.asyncIterator]: () => chunks.values() }) });
    const { daemon, port, log } = await running(memoryHost(maildrop));
    const client = new SocketClient(port);
    client.send(...login, 'RETR 1', 'QUIT');
    assert.match(await client.ended(), /octets\r\nbegun\r\n$/);
    await daemon.stop();
    assert.ok(log.some(({ level, message }) => level === 'error' && message === 'the session failed'));
  });
}

test('a maildrop that is none in form is closed, so that its lock is free', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const { daemon, port } = await running(memoryHost(changed(maildrop, { count: Number.NaN })));
  const client = new SocketClient(port);
  client.send(...login);
  assert.match(await client.ended(), /-ERR \[SYS\/TEMP\]/);
  await daemon.stop();
  assert.equal(maildrop.closings, 1);
});

test('a reply whose code is none cannot begin another line', async () => {
  const cut = 'IN-USE]\r\n+OK [';
  const failing = changed(memoryMaildrop(['a\r\n']), {
    load: () => Promise.reject(Object.assign(new Failure('no'), { code: cut })),
  });
  const { daemon, port } = await running(memoryHost(failing));
  const client = new SocketClient(port);
  client.send(...login, 'LIST', 'QUIT');
  assert.match(await client.ended(), /\r\n-ERR \[IN-USE\]\?\?\+OK \[\] no\r\n\+OK bye\r\n$/);
  await daemon.stop();
});
