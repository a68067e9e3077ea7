import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { Outgoing } from './outgoing.ts';
import { Turn } from './turn.ts';

/** Both ends of a new connection to this server. */
async function connected(server: Server): Promise<{ readonly client: Socket; readonly socket: Socket }> {
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  const client = connect(address.port, '127.0.0.1');
  const [socket] = await once(server, 'connection');
  return { client, socket };
}

async function listening(t: TestContext): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server;
}

/** A message of one letter, in chunks of a size that fills slabs unevenly. */
async function* messageOf(letter: string, octets: number): AsyncGenerator<Uint8Array> {
  for (let left = octets; left > 0; left -= 40_000) yield Buffer.alloc(Math.min(left, 40_000), letter);
}

/** Counts all that comes, and what of it is no octet of a message of this letter. */
function hearing(client: Socket, letter: string) {
  const heard = { octets: 0, others: '' };
  client.on('data', (chunk: Buffer) => {
    heard.octets += chunk.length;
    heard.others += chunk.toString('latin1').replaceAll(letter, '');
  });
  return heard;
}

const outgoingTo = (socket: Socket): Outgoing => new Outgoing(socket, new Turn(), () => {});

test('what waits for a client who does not read is not used for what others are sent', async (t) => {
  const server = await listening(t);
  const [slow, quick] = [await connected(server), await connected(server)];
  const [slowHeard, quickHeard] = [hearing(slow.client, 's'), hearing(quick.client, 'q')];
  slow.client.pause();
  slow.socket.write(Buffer.alloc(20_000_000, 's'));
  const toSlow = outgoingTo(slow.socket);
  const stalls: Promise<void>[] = [];
  for (const octets of [30_000, 30_000, 60_000]) {
    await toSlow.message(messageOf('s', octets));
    stalls.push(Promise.resolve(toSlow.flush()));
  }
  const toQuick = outgoingTo(quick.socket);
  for (let number = 0; number < 100; number += 1) {
    await toQuick.message(messageOf('q', 100_000));
    await toQuick.flush();
  }
  slow.client.resume();
  await Promise.all(stalls);
  for (const { socket } of [slow, quick]) socket.end();
  await Promise.all([slow, quick].map(({ client }) => once(client, 'close')));
  assert.equal(slowHeard.others, '\r\n.\r\n'.repeat(3));
  assert.equal(slowHeard.octets, 20_120_000 + 3 * 5);
  assert.equal(quickHeard.others, '\r\n.\r\n'.repeat(100));
});
