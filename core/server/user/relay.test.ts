import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';

import { defaultSettings } from '../../settings.ts';
import { SocketChannel } from '../channel.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { codeOf, Connections } from '../testing/connections.ts';
import { relay, type Relayed } from './relay.ts';

const options = { silenceMs: 60_000 };
const settings = { ...defaultSettings, listen: [], stateDir: '/' };
const peer = { address: '192.0.2.1', port: 1 };
const facts = { id: '1', peer, local: { address: '192.0.2.2', port: 110 }, secure: false };

describe('a client whose session runs in a worker', () => {
  let connections: Connections;
  before(async () => {
    connections = await Connections.open();
  });
  after(() => connections.close());

  const pair = (): ReturnType<Connections['make']> => connections.make(true);

  interface Relaying {
    /** What the client and the worker hold: their own ends. */
    readonly client: Socket;
    readonly worker: Socket;
    readonly clientHere: Socket;
    readonly workerHere: Socket;
    readonly over: Promise<Relayed>;
  }

  const relaying = async (early = '', silenceMs = options.silenceMs): Promise<Relaying> => {
    const [client, clientHere] = await pair();
    const [worker, workerHere] = await pair();
    clientHere.pause();
    const handedOver = { socket: clientHere, early: Buffer.from(early), giveUp: () => clientHere.destroy() };
    const relayed = relay(handedOver, workerHere, { silenceMs });
    // As whoever asked for the relay does.
    const over = relayed.finally(() => clientHere.end());
    return { client, worker, clientHere, workerHere, over };
  };

  test('is served what it sends ahead of the worker, first and in order', async () => {
    const { client, worker, over } = await relaying('STAT\r\nLI');
    client.end('ST\r\nQUIT\r\n');
    assert.equal(await textOf(worker), 'STAT\r\nLIST\r\nQUIT\r\n');
    worker.end('+OK bye\r\n');
    assert.equal(await textOf(client), '+OK bye\r\n');
    assert.deepEqual(await over, { fromClient: 18, fromWorker: 9 });
  });

  test('may close its half and is still answered', async () => {
    const { client, worker, over } = await relaying();
    client.end('QUIT\r\n');
    await textOf(worker);
    await delay(20);
    worker.end('+OK bye\r\n');
    assert.equal(await textOf(client), '+OK bye\r\n');
    await over;
  });

  test('that had closed its half before the worker was found is answered too', async () => {
    const [client, clientHere] = await pair();
    client.end('QUIT\r\n');
    assert.equal(await textOf(clientHere), 'QUIT\r\n');
    const [worker, workerHere] = await pair();
    const early = Buffer.from('QUIT\r\n');
    const relayed = relay({ socket: clientHere, early, giveUp: () => {} }, workerHere, options);
    const over = relayed.finally(() => clientHere.end());
    assert.equal(await textOf(worker), 'QUIT\r\n');
    worker.end('+OK bye\r\n');
    assert.equal(await textOf(client), '+OK bye\r\n');
    await over;
  });

  test('gets every octet in both directions, however they are cut', async () => {
    const [sent, answered] = [randomBytes(3_000_000), randomBytes(5_000_000)];
    const { client, worker, over } = await relaying();
    const [heard, read] = [octetsOf(worker), octetsOf(client)];
    writeInPieces(worker, answered);
    writeInPieces(client, sent);
    client.end();
    assert.ok((await heard).equals(sent));
    worker.end();
    assert.ok((await read).equals(answered));
    assert.deepEqual(await over, { fromClient: sent.length, fromWorker: answered.length });
  });

  test('that does not read stops the worker, and costs us no more than a chunk and a buffer', async () => {
    const { client, worker, clientHere, workerHere, over } = await relaying();
    client.pause();
    const message = Buffer.alloc(64 * 1024);
    let written = 0;
    const write = (): void => {
      while (written < 1024 && worker.write(message)) written += 1;
    };
    worker.on('drain', write);
    write();
    await delay(200);
    const heldOctets = clientHere.writableLength + workerHere.readableLength;
    assert.ok(worker.writableLength > 0, 'the worker was not stopped');
    assert.ok(heldOctets <= 256 * 1024, `${heldOctets} octets held`);
    client.resume();
    worker.end();
    await over;
  });

  test('that breaks its connection leaves no worker talking to nobody', async () => {
    const { client, worker, over } = await relaying();
    client.resetAndDestroy();
    await over;
    worker.resume();
    await once(worker, 'end');
  });

  test('whose worker dies gets all that the worker had said before', async () => {
    const { client, worker, over } = await relaying();
    worker.end('+OK half a mess');
    worker.resume();
    assert.equal(await textOf(client), '+OK half a mess');
    await over;
  });

  test('is let go with its worker when nothing has passed for the time that is given to silence', async () => {
    const { client, worker, over } = await relaying('', 50);
    await Promise.all([over, once(client.resume(), 'end'), once(worker.resume(), 'end')]);
  });

  test('that has sent more than its login when its channel is given up loses nothing of it', async () => {
    const [client, clientHere] = await pair();
    const channel = new SocketChannel(clientHere, facts, settings);
    client.write('PASS secret\r\nSTAT\r\nLIS');
    assert.deepEqual(await channel.readLine(), { kind: 'line', text: 'PASS secret' });
    client.write('T\r\n');
    await delay(20);
    client.end('QUIT\r\n');
    const [worker, workerHere] = await pair();
    const over = channel.handOver(noOp, (handedOver) => relay(handedOver, workerHere, options));
    assert.equal(await textOf(worker), 'STAT\r\nLIST\r\nQUIT\r\n');
    worker.end('+OK bye\r\n');
    await over;
    await Promise.all([channel.close(), textOf(client).then((text) => assert.equal(text, '+OK bye\r\n'))]);
    assert.deepEqual([channel.received, channel.sent], [31, 9]);
  });

  describe('under TLS', () => {
    let folder: string;
    let context: SecureContext;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'popper-relay-'));
      const { certificate, key } = await makeCertificate(folder);
      context = createSecureContext({ cert: await readFile(certificate), key: await readFile(key) });
    });
    after(() => rm(folder, { recursive: true }));

    const secured = async () => {
      const [wire, clientHere] = await pair();
      const channel = new SocketChannel(clientHere, facts, settings, { context });
      const client = connectTls({ socket: wire, rejectUnauthorized: false }).on('error', () => {});
      assert.equal(await channel.secure(), undefined);
      const [worker, workerHere] = await pair();
      return { client, channel, worker, workerHere };
    };

    test('is served as in plain, what it sent ahead and a large answer and all', async () => {
      const { client, channel, worker, workerHere } = await secured();
      client.write('PASS secret\r\nRETR 1\r\nQU');
      await channel.readLine();
      client.write('IT\r\n');
      const answer = randomBytes(3_000_000);
      worker.once('data', () => worker.end(answer));
      const heard = octetsOf(client).finally(() => client.end());
      let relayed: Relayed | undefined;
      const [asked] = await Promise.all([
        textOf(worker),
        channel.handOver(noOp, async (handedOver) => {
          relayed = await relay(handedOver, workerHere, options);
        }),
      ]);
      assert.equal(asked, 'RETR 1\r\nQUIT\r\n');
      assert.deepEqual(relayed, { fromClient: asked.length, fromWorker: answer.length });
      await channel.close();
      assert.ok((await heard).equals(answer));
    });

    test('finds a reset behind what it got, where it has not read all of it for too long', async () => {
      const { client, channel, worker, workerHere } = await secured();
      client.pause();
      worker.end(Buffer.alloc(20_000_000));
      await channel.handOver(noOp, (handedOver) => relay(handedOver, workerHere, { silenceMs: 300 }));
      const broken = codeOf(client);
      client.resume();
      assert.equal(await broken, 'ECONNRESET');
    });

    test('finds a reset in the middle of what its worker says, if it is ended there', async () => {
      const { client, channel, worker, workerHere } = await secured();
      client.resume();
      const broken = codeOf(client);
      const over = channel.handOver(noOp, (handedOver) => relay(handedOver, workerHere, options));
      worker.write('+OK 100 octets\r\n');
      await once(client, 'data');
      channel.destroy();
      await over;
      assert.equal(await broken, 'ECONNRESET');
    });
  });

  for (const how of ['stopped', 'kicked'] as const) {
    test(`that was ${how} while a worker was looked for is so in that worker`, async () => {
      const [, clientHere] = await pair();
      const channel = new SocketChannel(clientHere, facts, settings);
      channel.stop(how);
      const told: unknown[] = [];
      await channel.handOver(
        (ending) => told.push(ending),
        async () => {},
      );
      assert.deepEqual(told, [how]);
      channel.destroy();
    });
  }

  test('that is gone when the worker is there asks it for nothing', async () => {
    const [, clientHere] = await pair();
    const [worker, workerHere] = await pair();
    clientHere.destroy();
    const early = Buffer.from('DELE 1\r\nQUIT\r\n');
    void relay({ socket: clientHere, early, giveUp: noOp }, workerHere, options);
    assert.equal(await textOf(worker), '');
  });
});

const noOp = (): void => {};

async function octetsOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

const textOf = async (socket: Socket): Promise<string> => (await octetsOf(socket)).toString();

function writeInPieces(socket: Socket, octets: Buffer): void {
  for (
    let start = 0, pieceOctets = 1;
    start < octets.length;
    start += pieceOctets, pieceOctets = (pieceOctets * 7) % 99_991
  ) {
    socket.write(octets.subarray(start, start + pieceOctets));
  }
}
