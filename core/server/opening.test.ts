import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import type { Maildrop } from '../maildrop/maildrop.ts';
import { memoryHost, memoryMaildrop } from '../testing.ts';
import { running, SocketClient } from './testing/daemon-under-test.ts';

const login = ['USER mrose', 'PASS secret'];

/** A store with so much to read that it would never be done, and that gives up when it is told to. */
function endlessStore() {
  const begun = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const open = async (_: unknown, signal: AbortSignal): Promise<Maildrop> => {
    begun.resolve();
    await once(signal, 'abort');
    told.resolve();
    throw signal.reason;
  };
  return { open, begun: begun.promise, told: told.promise };
}

test('a stop waits for a maildrop that is being opened as long as for any command, and then tells the store', async () => {
  const store = endlessStore();
  const { daemon, port, log } = await running(memoryHost(store.open), { stopTimeoutMs: 100 });
  const client = new SocketClient(port);
  client.send(...login);
  await store.begun;
  await Promise.all([daemon.stop(), store.told]);
  assert.doesNotMatch(await client.ended(), /maildrop has/);
  const session = log.find(({ message }) => message === 'session');
  assert.deepEqual([session?.fields['user'], session?.fields['ending']], ['mrose', 'stopped']);
  assert.ok(!log.some(({ level }) => level === 'error'), 'the store did as it was told');
});

test('a store is told when the client has not waited for its maildrop', async () => {
  const store = endlessStore();
  const { daemon, port, log } = await running(memoryHost(store.open));
  const client = new SocketClient(port);
  client.send(...login);
  await store.begun;
  client.socket.resetAndDestroy();
  await store.told;
  await daemon.stop();
  assert.equal(log.find(({ message }) => message === 'session')?.fields['ending'], 'disconnected');
});

test('a stop does not wait for a store that opens a maildrop regardless, and what it opens at last is closed', async () => {
  const begun = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<Maildrop>();
  const closed = Promise.withResolvers<void>();
  const deaf = (): Promise<Maildrop> => {
    begun.resolve();
    return opened.promise;
  };
  const { daemon, port, log } = await running(memoryHost(deaf), { stopTimeoutMs: 100, hookDeadlineMs: 100 });
  const client = new SocketClient(port);
  client.send(...login);
  await begun.promise;
  await daemon.stop();
  assert.ok(log.some(({ message }) => message === 'a plugin hangs'));
  const maildrop = memoryMaildrop(['a\r\n']);
  opened.resolve(Object.assign(maildrop, { close: async () => closed.resolve() }));
  await closed.promise;
  client.socket.destroy();
});
