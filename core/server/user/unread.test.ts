import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Connections } from '../testing/connections.ts';
import { goOnReading, stopReading } from './unread.ts';

describe('a connection that is to be read by another process', () => {
  let connections: Connections;
  before(async () => {
    connections = await Connections.open();
  });
  after(() => connections.close());

  test('keeps what the client says in the kernel, also while somebody here would listen', async () => {
    const [client, here] = await connections.make();
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
    const [client, here] = await connections.make();
    here.pause();
    here.on('readable', () => {});
    client.write('STAT\r\n');
    await once(here, 'readable');
    assert.equal(stopReading(here), false);
    assert.equal(String(here.read()), 'STAT\r\n');
  });

  test('cannot go there when the client is gone, and nothing of it is read any more', async () => {
    const [client, here] = await connections.make();
    client.destroy();
    await once(here.resume(), 'end');
    assert.equal(stopReading(here), false);
    here.destroy();
    assert.equal(stopReading(here), false);
    goOnReading(here);
    assert.equal(here.destroyed, true);
  });
});
