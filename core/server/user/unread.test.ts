import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { goOnReading, stopReading } from './unread.ts';

describe('a connection that is to be read by another process', () => {
  const server = createServer({ allowHalfOpen: true });
  const sockets = new Set<Socket>();
  server.listen(0, '127.0.0.1');
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  /** The client's end, and the one that is read here. */
  const pair = async (): Promise<readonly [Socket, Socket]> => {
    if (!server.listening) await once(server, 'listening');
    const address = server.address();
    const accepted = once(server, 'connection');
    const client = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
    const [here] = await accepted;
    for (const socket of [client, here]) sockets.add(socket);
    return [client, here];
  };

  test('keeps what the client says in the kernel, also while somebody here would listen', async () => {
    const [client, here] = await pair();
    let heard = '';
    here.on('data', (chunk: Buffer) => {
      heard += String(chunk);
    });
    client.write('PASS x\r\n');
    await once(here, 'data');
    assert.equal(stopReading(here), true);
    client.write('STAT\r\n');
    await delay(50);
    assert.deepEqual([heard, here.bytesRead], ['PASS x\r\n', 8]);
    goOnReading(here);
    await once(here, 'data');
    assert.equal(heard, 'PASS x\r\nSTAT\r\n');
  });

  test('cannot go there where something was read that nobody has taken', async () => {
    const [client, here] = await pair();
    here.pause();
    here.on('readable', () => {});
    client.write('STAT\r\n');
    await once(here, 'readable');
    assert.equal(stopReading(here), false);
    assert.equal(String(here.read()), 'STAT\r\n');
  });

  test('cannot go there when the client is gone, and nothing of it is read any more', async () => {
    const [client, here] = await pair();
    client.destroy();
    await once(here.resume(), 'end');
    assert.equal(stopReading(here), false);
    here.destroy();
    assert.equal(stopReading(here), false);
    goOnReading(here);
    assert.equal(here.destroyed, true);
  });
});
