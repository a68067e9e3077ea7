import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { memoryHost, memoryMaildrop } from '../testing.ts';
import { changed, running, SocketClient } from './testing/daemon-under-test.ts';

const manyConnections = { connections: 1000, connectionsPerAddress: 1000 };

const login = ['USER mrose', 'PASS secret'];

/** In a thread of its own, so that it reads while the server is busy: sends a text, and gives the octets it heard. */
function fastReader(port: number, text: string): Promise<number> {
  const code = `
    const { parentPort, workerData: { port, text } } = require('node:worker_threads');
    let octets = 0;
    const socket = require('node:net').connect(port, '127.0.0.1').on('data', (data) => (octets += data.length));
    socket.on('end', () => parentPort.postMessage(octets)).write(text);`;
  const worker = new Worker(code, { eval: true, workerData: { port, text } });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

/** The longest time, in milliseconds, that nobody else could be served while this went on. */
async function longestSilenceMs(busy: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  await busy();
  delays.disable();
  return delays.max / 1e6;
}

test('M17: a client that lists a million messages again and again does not silence the others', async () => {
  const many = changed(memoryMaildrop([]), { count: 1_000_000, octetsOf: () => 1000 });
  const { daemon, port } = await running(memoryHost(many));
  const text = [...login, ...Array.from({ length: 6 }, () => 'LIST'), 'QUIT', ''].join('\r\n');
  let octets = 0;
  const silenceMs = await longestSilenceMs(async () => {
    octets = await fastReader(port, text);
  });
  assert.ok(octets > 70_000_000);
  // In one piece it takes 700 and more; a turn has 10, and the rest is for the machine that runs the test.
  assert.ok(silenceMs < 300, `${silenceMs} ms`);
  await daemon.stop();
});

test('L18: commands that come faster than they can be answered do not silence the others', async () => {
  // Each LIST looks at all that is deleted and says one line: thousands of them fit in one segment.
  const isMarked = { get: () => 1000 };
  const many = changed(memoryMaildrop([]), { count: 300_000, octetsOf: isMarked.get });
  const { daemon, port } = await running(memoryHost(many));
  const deletes = Array.from({ length: 300_000 }, (_, index) => `DELE ${index + 1}`);
  const text = [...login, ...deletes, ...Array.from({ length: 100 }, () => 'LIST'), 'QUIT', ''].join('\r\n');
  const silenceMs = await longestSilenceMs(() => fastReader(port, text));
  assert.ok(silenceMs < 300, `${silenceMs} ms`);
  await daemon.stop();
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
