import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { PiecesAtHand } from '../../test/pieces-at-hand.ts';
import { TornMessage } from '../protocol/torn-message.ts';
import { Outgoing } from './outgoing.ts';
import { Connections } from './testing/connections.ts';
import { Turn } from './turn.ts';

async function connecting(t: TestContext): Promise<Connections> {
  const connections = await Connections.open();
  t.after(() => connections.close());
  return connections;
}

/** Both ends of a new one. */
async function connected(
  connections: Connections,
): Promise<{ readonly client: Socket; readonly socket: Socket }> {
  const [client, socket] = await connections.make();
  return { client, socket };
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
  const connections = await connecting(t);
  const [slow, quick] = [await connected(connections), await connected(connections)];
  const [slowHeard, quickHeard] = [hearing(slow.client, 's'), hearing(quick.client, 'q')];
  slow.client.pause();
  slow.socket.write(Buffer.alloc(20_000_000, 's'));
  const toSlow = outgoingTo(slow.socket);
  const saying = async (): Promise<void> => {
    for (const octets of [30_000, 30_000, 60_000]) {
      await toSlow.message(messageOf('s', octets));
      await toSlow.flush();
    }
  };
  const said = saying();
  const toQuick = outgoingTo(quick.socket);
  for (let number = 0; number < 100; number += 1) {
    await toQuick.message(messageOf('q', 100_000));
    await toQuick.flush();
  }
  slow.client.resume();
  await said;
  for (const { socket } of [slow, quick]) socket.end();
  await Promise.all([slow, quick].map(({ client }) => once(client, 'close')));
  assert.equal(slowHeard.others, '\r\n.\r\n'.repeat(3));
  assert.equal(slowHeard.octets, 20_120_000 + 3 * 5);
  assert.equal(quickHeard.others, '\r\n.\r\n'.repeat(100));
});

test('a client who has not read is waited for whatever else is to be said, until he has or is gone', async (t) => {
  const { client, socket } = await connected(await connecting(t));
  client.on('error', () => {}).pause();
  socket.on('error', () => {}).write(Buffer.alloc(20_000_000, 'm'));
  let progress = 0;
  const outgoing = new Outgoing(socket, new Turn(), () => {
    progress += 1;
  });
  await outgoing.message(messageOf('m', 1000));
  const waits = [outgoing.flush(), outgoing.flush()];
  const next = outgoing.message(messageOf('m', 1000));
  await delay(50);
  assert.equal(outgoing.hasUnsent, false, 'no other memory is taken for him');
  await outgoing.text('+OK\r\n');
  waits.push(outgoing.flush());
  assert.ok(waits.every((wait) => wait instanceof Promise));
  assert.notEqual(outgoing.stalledSinceMs, undefined);
  assert.equal(progress, 0);
  socket.destroy();
  await Promise.all(waits);
  assert.equal(await next, undefined);
  assert.equal(outgoing.stalledSinceMs, undefined);
  assert.equal(progress, 1);
});

const chunk = (letter: string, octets: number): Buffer => Buffer.alloc(octets, letter);

test('a message that is in memory and fits is not waited for', async (t) => {
  const { client, socket } = await connected(await connecting(t));
  const heard = hearing(client, 'm');
  const outgoing = outgoingTo(socket);
  const message = new PiecesAtHand([chunk('m', 1000), chunk('m', 2000)]);
  assert.equal(outgoing.message(message, 3002), 3002);
  assert.equal(outgoing.flush(), undefined);
  socket.end();
  await once(client, 'close');
  assert.deepEqual(heard, { octets: 3005, others: '\r\n.\r\n' });
  assert.equal(message.waits, 0);
});

test('which pieces of a message are in memory, and how large they are, makes no difference', async (t) => {
  const connections = await connecting(t);
  for (const sizes of [[200_000], [65_530], [65_536, 10], [10, 100_000, 10], [40_000, 40_000, 40_000]]) {
    for (const here of [0b000, 0b001, 0b010, 0b011, 0b100, 0b101]) {
      const { client, socket } = await connected(connections);
      const heard = hearing(client, 'm');
      const outgoing = outgoingTo(socket);
      void outgoing.text('mm');
      const message = new PiecesAtHand(
        sizes.map((octets) => chunk('m', octets)),
        (index) => (here & (1 << index)) !== 0,
      );
      const total = sizes.reduce((sum, octets) => sum + octets, 0);
      assert.equal(await outgoing.message(message, total + 2), total + 2);
      await outgoing.flush();
      socket.end();
      await once(client, 'close');
      assert.deepEqual(heard, { octets: total + 7, others: '\r\n.\r\n' });
    }
  }
});

test('a message in memory that falls short has no end, and one that is none is closed', async (t) => {
  const { client, socket } = await connected(await connecting(t));
  const outgoing = outgoingTo(socket);
  const short = (): unknown => outgoing.message(new PiecesAtHand([chunk('m', 10)]), 13);
  assert.throws(short, TornMessage);
  const message = new PiecesAtHand([chunk('m', 10)]);
  // As from a plugin in plain JavaScript, which no compiler has looked at.
  Object.assign(message, { nextHere: () => ({ done: false, value: 'text' }) });
  assert.throws(() => outgoing.message(message), /chunks of Uint8Array/);
  assert.ok(message.isClosed);
  client.destroy();
  socket.destroy();
});
