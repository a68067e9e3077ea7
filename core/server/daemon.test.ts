import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { memoryHost, memoryMaildrop } from '../testing.ts';
import { changed, running, SocketClient } from './testing/daemon-under-test.ts';

test('a client that never logs in is sent away in silence, however busy it looks', async () => {
  const { daemon, port } = await running(memoryHost(memoryMaildrop([])), { loginTimeoutMs: 300 });
  const client = new SocketClient(port);
  const chatter = setInterval(() => client.send('CAPA'), 50);
  const heard = await client.ended();
  clearInterval(chatter);
  assert.doesNotMatch(heard, /-ERR/);
  await daemon.stop();
});

test('U4: an idle session is closed without a reply and without UPDATE; a command puts it off', async () => {
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const { daemon, port, log } = await running(memoryHost(maildrop), { idleTimeoutMs: 400 });
  const client = new SocketClient(port);
  client.send('USER mrose', 'PASS secret', 'DELE 1');
  await client.hears(/deleted\r\n$/);
  for (let round = 0; round < 4; round += 1) {
    await delay(200);
    client.send('NOOP');
  }
  await client.hears(/(\+OK\r\n){4}$/);
  const heard = await client.ended();
  assert.match(heard, /(\+OK\r\n){4}$/);
  await daemon.stop();
  assert.equal(maildrop.kept().length, 2);
  assert.equal(log.find(({ message }) => message === 'session')?.fields['ending'], 'idle');
});

test('U8: a stop tells idle sessions, removes nothing of theirs, and lets a command at work end', async () => {
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const reading = Promise.withResolvers<void>();
  const slow = changed(maildrop, {
    async *read() {
      reading.resolve();
      await delay(300);
      yield Buffer.from('slow\r\n');
    },
  });
  const { daemon, port } = await running(memoryHost(slow));
  const client = new SocketClient(port);
  client.send('USER mrose', 'PASS secret', 'DELE 1', 'RETR 2', 'QUIT');
  await reading.promise;
  const stopped = daemon.stop();
  const heard = await client.ended();
  await stopped;
  assert.match(heard, /slow\r\n\.\r\n-ERR \[SYS\/TEMP\] the server is being stopped/);
  assert.equal(maildrop.kept().length, 2, 'QUIT came after the stop, so DELE is not carried out');
});

test('a stop does not wait for ever for a plugin that hangs', async () => {
  const hangs = memoryHost(changed(memoryMaildrop(['a\r\n']), { read: hang }));
  const { daemon, port } = await running(hangs, { stopTimeoutMs: 200 });
  const client = new SocketClient(port);
  client.send('USER mrose', 'PASS secret', 'RETR 1');
  await client.hears(/octets\)\r\n/);
  await daemon.stop();
  client.socket.destroy();
});

// oxlint-disable-next-line require-yield -- it never gets that far
async function* hang(_: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await once(signal, 'abort');
}

test('L3: a client that sends and sends without a line end is told and dropped', async () => {
  const { daemon, port } = await running(memoryHost(memoryMaildrop([])));
  const client = new SocketClient(port);
  client.socket.on('error', () => {});
  client.socket.write('x'.repeat(200_000));
  assert.match(await client.ended(), /-ERR line too long.*\r\n-ERR too many octets/);
  await daemon.stop();
});

test('one address has so many connections and no more, and is told why', async () => {
  const limits = { connections: 10, connectionsPerAddress: 1 };
  const { daemon, port } = await running(memoryHost(memoryMaildrop([])), { limits });
  const first = new SocketClient(port);
  await first.hears(/\+OK/);
  assert.match(await new SocketClient(port).ended(), /^-ERR \[SYS\/TEMP\] too many connections/);
  first.send('QUIT');
  await first.ended();
  await delay(50);
  const third = new SocketClient(port);
  await third.hears(/\+OK/);
  third.socket.destroy();
  await daemon.stop();
});

test('L19: a client that closes its half after QUIT is answered, and its messages are deleted', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const { daemon, port } = await running(memoryHost(maildrop));
  const client = new SocketClient(port);
  client.send('USER mrose', 'PASS secret', 'DELE 1', 'QUIT');
  client.socket.end();
  assert.match(await client.ended(), /message 1 deleted\r\n\+OK bye\r\n$/);
  assert.deepEqual(maildrop.kept(), []);
  await daemon.stop();
});
