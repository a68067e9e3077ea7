import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Maildrop } from '../maildrop/maildrop.ts';
import { defaultSettings } from '../settings.ts';
import { memoryHost, memoryMaildrop } from '../testing.ts';
import { SocketChannel } from './channel.ts';
import { makeCertificate } from './testing/certificates.ts';
import { Connections } from './testing/connections.ts';
import { changed, never, running, SocketClient } from './testing/daemon-under-test.ts';
import { TlsClient } from './testing/tls-client.ts';

const login = ['USER mrose', 'PASS secret'];

/** How the connection ends for a client in the middle of a message: with a reset, it cannot be taken for the message's end. */
async function endOf(client: SocketClient): Promise<'reset' | 'end'> {
  const broken = once(client.socket, 'error').then(() => 'reset' as const);
  const ended = once(client.socket, 'end').then(() => 'end' as const);
  return Promise.race([broken.catch(() => 'reset' as const), ended.catch(() => 'reset' as const)]);
}

async function* halfAndNever(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(100_000, 'half\r\n');
  await never();
}

async function* halfAndNoMore(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half\r\n');
}

async function* halfAndBroken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half\r\n');
  throw new Error('disk on fire');
}

const promising = (read: Maildrop['read']): Maildrop =>
  changed(memoryMaildrop(['a\r\n']), { octetsOf: () => 1_000_000, totalOctets: 1_000_000, read });

for (const [what, read] of [
  ['a message that comes to fewer octets than promised', halfAndNoMore],
  ['a message whose store breaks in the middle', halfAndBroken],
  ['a message whose store hangs in the middle of it', halfAndNever],
] as const) {
  test(`${what} ends in a reset, so that no client takes it for whole`, async () => {
    const { daemon, port } = await running(memoryHost(promising(read)), {
      hookDeadlineMs: 100,
    });
    const client = new SocketClient(port);
    client.send(...login, 'RETR 1');
    assert.equal(await endOf(client), 'reset');
    assert.match(client.heard, /octets\r\nhalf\r\n/);
    await daemon.stop();
  });
}

test('a client in the middle of a message hears a stop at once as a reset', async () => {
  const { daemon, port } = await running(memoryHost(promising(halfAndNever)), { hookDeadlineMs: 100 });
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1');
  await client.hears(/half/);
  const ends = endOf(client);
  void daemon.stop();
  await daemon.stop();
  assert.equal(await ends, 'reset');
});

test('so does one whose message comes over TLS', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-torn-'));
  t.after(() => rm(folder, { recursive: true }));
  const { daemon, port } = await running(memoryHost(promising(halfAndNever)), {
    hookDeadlineMs: 100,
    listen: [{ host: '127.0.0.1', port: 0, tls: true }],
    tls: { ...(await makeCertificate(folder)), minVersion: 'TLSv1.2' },
  });
  const client = await TlsClient.secured(port);
  client.send(...login, 'RETR 1');
  await client.hears(/half/);
  const broken = once(client.socket, 'error');
  void daemon.stop();
  await daemon.stop();
  assert.match(String(await broken), /ECONNRESET/);
});

test('a client that does not read its message before it is given up finds a reset behind what it got', async () => {
  const whole = memoryMaildrop([`${'x'.repeat(70)}\r\n`.repeat(200_000)]);
  const { daemon, port } = await running(memoryHost(whole), { idleTimeoutMs: 300, hookDeadlineMs: 100 });
  const client = new SocketClient(port);
  client.send(...login);
  await client.hears(/maildrop has/);
  client.socket.pause();
  client.send('RETR 1');
  await new Promise((resolve) => setTimeout(resolve, 800));
  const ends = endOf(client);
  client.socket.resume();
  assert.equal(await ends, 'reset');
  await daemon.stop();
});

test('a client that has got all it was told and is silent for too long sees an ordinary end', async () => {
  const { daemon, port } = await running(memoryHost(memoryMaildrop(['a\r\n'])), { idleTimeoutMs: 200 });
  const client = new SocketClient(port);
  client.send(...login, 'RETR 1');
  assert.equal(await endOf(client), 'end');
  assert.match(client.heard, /a\r\n\.\r\n$/);
  await daemon.stop();
});

test('a connection that is ended at once while its client has not read all stays known as torn', async (t) => {
  const connections = await Connections.open();
  t.after(() => connections.close());
  const [client, socket] = await connections.make();
  const facts = {
    id: '1',
    peer: { address: '127.0.0.1', port: 1 },
    local: { address: '127.0.0.1', port: 110 },
  };
  const settings = { ...defaultSettings, listen: [], stateDir: '/nonexistent' };
  const channel = new SocketChannel(socket, { ...facts, secure: false }, settings);
  client.pause();
  socket.write(Buffer.alloc(20_000_000));
  assert.ok(channel.isTorn);
  channel.destroy();
  await once(socket, 'close');
  assert.equal(socket.writableLength, 0);
  assert.ok(channel.isTorn);
});
