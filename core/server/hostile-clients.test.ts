import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { memoryHost, memoryMaildrop } from '../testing.ts';
import { changed, running, SocketClient } from './testing/daemon-under-test.ts';

const manyConnections = { connections: 1000, connectionsPerAddress: 1000 };

const login = ['USER mrose', 'PASS secret'];

/** Sends a text, and gives the octets it heard. In a thread of its own, so that it reads while the server is busy. */
function fastReader(port: number, text: string): Promise<number> {
  const code = `
    const { parentPort, workerData: { port, text } } = require('node:worker_threads');
    let octets = 0;
    const socket = require('node:net').connect(port, '127.0.0.1').on('data', (data) => (octets += data.length));
    socket.on('end', () => parentPort.postMessage(octets)).write(text);`;
  const worker = new Worker(code, { eval: true, workerData: { port, text } });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

/**
 * A busy client sends this, and another comes once the first `LIST` has begun: says whether that one was served while
 * the busy one still was.
 */
async function isServedBeside(count: number, commands: readonly string[]): Promise<boolean> {
  const begun = Promise.withResolvers<void>();
  const many = changed(memoryMaildrop([]), {
    count,
    octetsOf: () => 1000,
    load: async () => begun.resolve(),
  });
  const { daemon, port, log } = await running(memoryHost(many));
  const busy = fastReader(port, [...login, ...commands, 'QUIT', ''].join('\r\n'));
  await begun.promise;
  const other = new SocketClient(port);
  other.send('CAPA');
  await other.hears(/\.\r\n$/);
  const beside = log.every(({ message }) => message !== 'session');
  other.socket.destroy();
  assert.ok((await busy) > 0);
  await daemon.stop();
  return beside;
}

test('M17: a client that lists a million messages again and again leaves others their turn', async () => {
  assert.ok(
    await isServedBeside(
      1_000_000,
      Array.from({ length: 6 }, () => 'LIST'),
    ),
  );
});

test('L18: a thousand commands in one segment that say little and take long leave others their turn', async () => {
  const count = 10_000;
  const deletes = Array.from({ length: count }, (_, index) => `DELE ${index + 1}`);
  const lists = Array.from({ length: 1000 }, () => 'LIST');
  assert.ok(await isServedBeside(count, [...deletes, ...lists]));
});

test('clients that connect and reset are not taken for clients of a unix socket', async () => {
  const { daemon, port, log } = await running(memoryHost(memoryMaildrop([])), { limits: manyConnections });
  const reset = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => socket.resetAndDestroy());
      socket.on('error', () => {}).on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: 200 }, reset));
  const last = new SocketClient(port);
  await last.hears(/\+OK/);
  last.send('QUIT');
  await last.ended();
  await daemon.stop();
  assert.deepEqual(
    log.filter(({ fields }) => fields['address'] === 'unix'),
    [],
  );
});

test('M15: a client that resets in the middle of a message has not retrieved it, and the store is not blamed', async () => {
  const octets = 20_000_000;
  const big = changed(memoryMaildrop(['']), {
    totalOctets: octets,
    octetsOf: () => octets,
    async *read() {
      for (let sent = 0; sent < octets; sent += 50_000) yield Buffer.alloc(50_000, 'text\r\n');
    },
  });
  const { daemon, port, log } = await running(memoryHost(big));
  for (const length of [1, 100_000, 1_000_000]) {
    const client = new SocketClient(port);
    client.send(...login, 'RETR 1');
    await client.hears(new RegExp(`octets\\)\r\n.{${Math.min(length, 30)}}`, 's'));
    while (client.heard.length < length) await delay(1);
    client.socket.resetAndDestroy();
  }
  await daemon.stop();
  const sessions = log.filter(({ message }) => message === 'session');
  assert.deepEqual(
    sessions.map(({ fields }) => fields['retrieved']),
    Array.from({ length: 3 }, () => ({ messages: 0, octets: 0 })),
  );
  assert.deepEqual(
    log.filter(({ level }) => level === 'error'),
    [],
  );
});

test('U1: a client that resets while its mail is removed has it removed, and the lock is kept until then', async () => {
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const slow = changed(maildrop, {
    async commit(deleted) {
      begun.resolve();
      await gate.promise;
      await maildrop.commit(deleted);
    },
  });
  const { daemon, port, log } = await running(memoryHost(slow), { hookDeadlineMs: 20 });
  const client = new SocketClient(port);
  client.send(...login, 'DELE 1', 'QUIT');
  await begun.promise;
  client.socket.resetAndDestroy();
  await delay(150);
  assert.equal(maildrop.closings, 0, 'the lock is held while mail is being removed');
  gate.resolve();
  await daemon.stop();
  assert.deepEqual(maildrop.kept(), ['b\r\n']);
  assert.equal(maildrop.closings, 1);
  const { ending, deleted } = log.find(({ message }) => message === 'session')?.fields ?? {};
  assert.deepEqual({ ending, deleted }, { ending: 'quit', deleted: { messages: 1, octets: 3 } });
});

test('U3: a client that leaves while its maildrop is being opened leaves no lock behind', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { daemon, port } = await running(
    memoryHost(async () => {
      asked.resolve();
      await gate.promise;
      return maildrop;
    }),
  );
  const client = new SocketClient(port);
  client.send(...login, 'DELE 1', 'QUIT');
  await asked.promise;
  client.socket.resetAndDestroy();
  await delay(50);
  gate.resolve();
  await daemon.stop();
  assert.equal(maildrop.closings, 1);
  assert.deepEqual(maildrop.kept(), ['a\r\n']);
});
