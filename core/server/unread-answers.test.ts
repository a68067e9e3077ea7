import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { PiecesAtHand } from '../../test/pieces-at-hand.ts';
import { ok, okLines } from '../protocol/reply.ts';
import type { SentReply } from '../session/channel.ts';
import { defaultSettings } from '../settings.ts';
import { SocketChannel } from './channel.ts';
import { Connections } from './testing/connections.ts';

const peer = { address: '127.0.0.1', port: 1 };
const facts = { id: '1', peer, local: peer, secure: false };
const settings = { ...defaultSettings, listen: [], stateDir: '/nonexistent' };

/** A client that reads nothing until it is told to, and the channel to it. */
async function begin(t: TestContext) {
  const connections = await Connections.open();
  t.after(() => connections.close());
  const [client, socket] = await connections.make();
  client.pause();
  return { client, socket, channel: new SocketChannel(socket, facts, settings) };
}

/** Writes until the kernel does not take all of it. */
function fill(socket: Socket): void {
  while (socket.writableLength === 0) socket.write(Buffer.alloc(1000, 'x'));
}

/** What the client hears from now on, behind what filled the kernel, and how that ends. */
async function heardBy(
  client: Socket,
): Promise<{ readonly text: string; readonly broken: string | undefined }> {
  let text = '';
  let broken: string | undefined;
  client.on('error', (error) => {
    broken = 'code' in error ? String(error.code) : error.message;
  });
  client.on('data', (octets: Buffer) => {
    text += octets.toString('latin1');
  });
  client.resume();
  if (!client.closed) await new Promise((resolve) => client.once('close', resolve));
  return { text: text.replace(/^x+/, ''), broken };
}

test('who makes room without having read all that he was told is not told in its middle, and finds a reset', async (t) => {
  const { client, socket, channel } = await begin(t);
  fill(socket);
  assert.equal(socket.writableNeedDrain, false, 'what waits is little');
  channel.makeRoom();
  const { text, broken } = await heardBy(client);
  assert.equal(text, '');
  assert.equal(broken, 'ECONNRESET');
});

test('who makes room and has read all that he was told is told why, and finds an ordinary end', async (t) => {
  const { client, channel } = await begin(t);
  channel.makeRoom();
  const { text, broken } = await heardBy(client);
  assert.match(text, /^-ERR \[SYS\/TEMP\] too many connections, [^\r]*\r\n$/);
  assert.equal(broken, undefined);
});

/** A second command is to be answered, and the client does not read the answer to the first. */
async function asksAhead(t: TestContext) {
  const begun = await begin(t);
  const { client, socket, channel } = begun;
  client.write('STAT\r\nRETR 1\r\n');
  await channel.readLine();
  socket.write(Buffer.alloc(20_000_000, 'x'));
  await channel.send(ok('1 3'));
  await channel.readLine();
  // The command waits for a disk, and the answer before it need not.
  await delay(20);
  return begun;
}

/** The second one is to be answered with a message. */
async function unread(t: TestContext) {
  const begun = await asksAhead(t);
  const { channel } = begun;
  const body = new PiecesAtHand([Buffer.from('a\r\n')]);
  const sent: { done?: SentReply } = {};
  const sending = channel.send({ status: '+OK', text: '3 octets', body, promisedOctets: 3 });
  const over = Promise.resolve(sending).then((done) => Object.assign(sent, { done }));
  await delay(20);
  return { ...begun, body, sent, over };
}

test('a message is not begun beside what the client has not read yet', async (t) => {
  const { client, channel, body, sent, over } = await unread(t);
  assert.deepEqual([body.taken, sent.done], [0, undefined]);
  assert.equal(channel.isTorn, true);
  const heard = heardBy(client);
  await over;
  assert.deepEqual(sent.done, { bodyOctets: 3 });
  await channel.close();
  assert.equal((await heard).text, '+OK 1 3\r\n+OK 3 octets\r\na\r\n.\r\n');
});

test('nor is a list, and a stop does not wait for it', async (t) => {
  const { client, channel } = await asksAhead(t);
  const lines = new LinesAtHand(['1 3']);
  const sending = channel.send(okLines('1 messages', lines));
  channel.stop();
  await sending;
  assert.equal(lines.isClosed, true);
  assert.equal(await channel.readLine(), undefined);
  const closed = channel.close();
  const { text } = await heardBy(client);
  await closed;
  assert.doesNotMatch(text, /messages/);
});

test('a stop does not wait for a message that is not begun: it is let go, and the client told why', async (t) => {
  const { client, channel, body, sent, over } = await unread(t);
  channel.stop();
  await over;
  assert.deepEqual(sent.done, { bodyOctets: undefined });
  assert.equal(body.isClosed, true);
  assert.equal(await channel.readLine(), undefined);
  const closed = channel.close();
  const { text } = await heardBy(client);
  await closed;
  assert.equal(text, '+OK 1 3\r\n-ERR [SYS/TEMP] the server is being stopped, nothing was deleted\r\n');
});

class LinesAtHand implements AsyncIterableIterator<string> {
  isClosed = false;
  readonly #lines: Iterator<string>;

  constructor(lines: Iterable<string>) {
    this.#lines = lines[Symbol.iterator]();
  }

  async next(): Promise<IteratorResult<string>> {
    return this.#lines.next();
  }

  async return(): Promise<IteratorResult<string>> {
    this.isClosed = true;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
