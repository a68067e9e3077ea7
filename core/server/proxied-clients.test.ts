import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

import type { Settings } from '../settings.ts';
import { memoryHost, memoryMaildrop } from '../testing.ts';
import { version1, version2 } from './proxy/testing/headers.ts';
import { makeCertificate } from './testing/certificates.ts';
import { running } from './testing/daemon-under-test.ts';

const proxy = '127.0.0.1';
const listen = [{ host: '127.0.0.1', port: 0, proxy: { from: [proxy] } }];

const ends = { source: '192.0.2.1', destination: '198.51.100.7', sourcePort: 40_000, destinationPort: 110 };
const from = (source: string): Buffer => version1({ ...ends, source });

async function begin(t: TestContext, settings: Partial<Settings> = {}) {
  const { daemon, port, log } = await running(memoryHost(memoryMaildrop(['a\r\n'])), {
    listen,
    cleartextLogin: 'always',
    ...settings,
  });
  const connections: Connection[] = [];
  t.after(async () => {
    for (const { socket } of connections) socket.destroy();
    await daemon.stop();
  });
  return {
    daemon,
    log,
    /** Who the sessions that are over were with. */
    addresses: () =>
      log.filter(({ message }) => message === 'session').map(({ fields }) => fields['address']),
    misled: () =>
      log.filter(({ message }) => message.includes('PROXY')).map(({ fields }) => fields['reason']),
    open: (localAddress = proxy): Connection => {
      const connection = new Connection(port, localAddress);
      connections.push(connection);
      return connection;
    },
  };
}

/** A connection to the daemon, of a proxy or somebody else, and what was heard on it. */
class Connection {
  readonly socket: Socket;
  heard = '';

  constructor(port: number, localAddress: string) {
    this.socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true, allowHalfOpen: true });
    this.socket.on('error', () => {}).setEncoding('latin1');
    this.socket.on('data', (text: string) => (this.heard += text));
  }

  send(...pieces: readonly (string | Uint8Array)[]): void {
    this.socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  }

  async hears(expected: RegExp): Promise<void> {
    while (!expected.test(this.heard)) {
      assert.ok(
        !this.socket.readableEnded && !this.socket.closed,
        `never heard ${expected}, but ${this.heard}`,
      );
      await this.#next('data', 'end', 'close');
    }
  }

  /** Resolves when the server has closed. */
  async ended(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.closed) await this.#next('end', 'close');
    return this.heard;
  }

  /** Not `once` of node:events, which throws at a reset: where something was sent as the server closed, there is one. */
  #next(...events: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      for (const event of events) this.socket.once(event, () => resolve());
    });
  }
}

/** What is written to it first goes behind a header, in one write. */
class HeaderFirst extends Duplex {
  readonly #socket: Socket;
  #header: Buffer;

  constructor(socket: Socket, header: Buffer) {
    super();
    this.#socket = socket;
    this.#header = header;
    socket.removeAllListeners('data').on('data', (chunk: string) => this.push(Buffer.from(chunk, 'latin1')));
    socket.on('end', () => this.push(null));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.concat([this.#header, chunk]), done);
    this.#header = Buffer.alloc(0);
  }
}

const session = 'USER mrose\r\nPASS secret\r\nSTAT\r\nQUIT\r\n';
const served = /^\+OK [^\r]*\r\n\+OK [^\r]*\r\n\+OK [^\r]*\r\n\+OK 1 3\r\n\+OK bye\r\n$/;

test('a proxy that says nothing, or one octet now and then, is closed after two seconds and logged', async (t) => {
  const { open, misled } = await begin(t);
  const silent = open();
  const slow = open();
  const drip = setInterval(() => slow.send('P'), 100);
  t.after(() => clearInterval(drip));
  slow.socket.once('connect', () => slow.send('PROXY UNKNOWN '));
  const startedAtMs = performance.now();
  assert.deepEqual(await Promise.all([silent.ended(), slow.ended()]), ['', '']);
  assert.ok(performance.now() - startedAtMs < 10_000);
  assert.deepEqual(misled(), ['no whole header in 2000 ms']);
});

test('a proxy that says something else is closed at once, and its client is told nothing', async (t) => {
  const { open, misled } = await begin(t);
  const client = open();
  client.send(session);
  assert.equal(await client.ended(), '');
  assert.deepEqual(misled(), ['it does not begin with a PROXY header']);
});

test('a proxy that leaves in the middle is told of, one that looks whether the port is open is not', async (t) => {
  const { open, misled, addresses } = await begin(t);
  const looks = open();
  looks.socket.end();
  await looks.ended();
  assert.deepEqual(misled(), []);
  const leaves = open();
  leaves.socket.end('PROXY TCP4 192');
  await leaves.ended();
  assert.deepEqual(misled(), ['closed in the middle of it']);
  assert.deepEqual(addresses(), [], 'neither was a session');
});

test('a header from elsewhere is not believed: it is an unknown command, and the client is who the socket says', async (t) => {
  const { open, addresses } = await begin(t);
  const client = open('127.0.0.2');
  client.send(from('192.0.2.1'), 'QUIT\r\n');
  assert.match(await client.ended(), /^\+OK [^\r]*\r\n-ERR unknown command\r\n\+OK bye\r\n$/);
  assert.deepEqual(addresses(), ['127.0.0.2']);
});

test('a client that needs no proxy is served where others come through one', async (t) => {
  const { open } = await begin(t);
  const client = open('127.0.0.2');
  client.send(session);
  assert.match(await client.ended(), served);
});

const headers: readonly (readonly [version: string, header: Buffer])[] = [
  ['version 1', version1(ends)],
  ['version 2', version2(ends)],
];

for (const [version, header] of headers) {
  test(`${version}: the client is the one whom the proxy names, and what it sent in the same segment is answered`, async (t) => {
    const { open, addresses } = await begin(t);
    const client = open();
    client.send(header, session);
    client.socket.end();
    assert.match(await client.ended(), served);
    assert.deepEqual(addresses(), ['192.0.2.1']);
  });

  test(`${version}: a header that comes octet by octet is the same`, async (t) => {
    const { open, addresses } = await begin(t);
    const client = open();
    for (const octet of Buffer.concat([header, Buffer.from(session)])) {
      client.send(Uint8Array.of(octet));
      await delay(1);
    }
    assert.match(await client.ended(), served);
    assert.deepEqual(addresses(), ['192.0.2.1']);
  });
}

test('a health check of version 2 is served as the proxy itself', async (t) => {
  const { open, addresses } = await begin(t);
  const client = open();
  client.send(version2(ends, [], { command: 0x20 }), 'QUIT\r\n');
  assert.match(await client.ended(), /\+OK bye\r\n$/);
  assert.deepEqual(addresses(), [proxy]);
});

test("a handshake in the same segment as the header is the client's, and its session is over TLS", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-proxied-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const tls = { ...(await makeCertificate(folder)), minVersion: 'TLSv1.2' as const };
  const { open, log } = await begin(t, { tls, listen: listen.map((where) => ({ ...where, tls: true })) });
  const { socket } = open();
  const pipe = new HeaderFirst(socket, version2(ends));
  const secured = connectTls({ socket: pipe, rejectUnauthorized: false });
  secured.write(session);
  let heard = '';
  for await (const chunk of secured) heard += String(chunk);
  assert.match(heard, served);
  const record = log.find(({ message }) => message === 'session');
  assert.equal(record?.fields['address'], '192.0.2.1');
});

test('plugins hear of the client and of what it connected to', async (t) => {
  const heard: unknown[] = [];
  const host = memoryHost(memoryMaildrop([]));
  const curious = {
    ...host,
    apply: (popper: Parameters<typeof host.apply>[0]) => {
      host.apply(popper);
      popper.hooks.connect.tapPromise('curious', async (peer) => void heard.push(peer));
      popper.hooks.greeting.tap('curious', (greeting, { peer, local }) => {
        heard.push(peer, local);
        return greeting;
      });
    },
  };
  const { daemon, port } = await running(curious, { listen });
  t.after(() => daemon.stop());
  const client = new Connection(port, proxy);
  client.send(version2(ends), 'QUIT\r\n');
  await client.ended();
  client.socket.destroy();
  const peer = { address: '192.0.2.1', port: 40_000 };
  assert.deepEqual(heard, [peer, peer, { address: '198.51.100.7', port: 110 }]);
});

test('a loopback proxy makes no local clients: a password without TLS is refused to who is not', async (t) => {
  const { open } = await begin(t, { cleartextLogin: 'loopback' });
  const client = open();
  client.send(from('192.0.2.1'), session);
  client.socket.end();
  assert.match(await client.ended(), /-ERR [^\r]*passwords are taken over TLS only/);
});

test('limits count the clients of a proxy, each by its own address', async (t) => {
  const { open } = await begin(t, { limits: { connections: 10, connectionsPerAddress: 1 } });
  for (const source of ['192.0.2.1', '192.0.2.2']) {
    const client = open();
    client.send(from(source));
    await client.hears(/^\+OK/);
  }
  const second = open();
  second.send(from('192.0.2.1'));
  assert.match(await second.ended(), /^-ERR \[SYS\/TEMP\] too many connections/);
});

test('proxies that say nothing take no place of a client, and there are only so many of them', async (t) => {
  const { open } = await begin(t, { limits: { connections: 3, connectionsPerAddress: 3 } });
  const silent = [open(), open(), open()];
  await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
  assert.match(await open().ended(), /^-ERR \[SYS\/TEMP\]/);
  const client = open('127.0.0.2');
  await client.hears(/^\+OK/);
});

test('a stop waits for no proxy that has not said for whom it comes', async (t) => {
  const { open, daemon } = await begin(t);
  const silent = open();
  await once(silent.socket, 'connect');
  await delay(20);
  const startedAtMs = performance.now();
  await daemon.stop();
  assert.ok(performance.now() - startedAtMs < 1500);
  assert.equal(await silent.ended(), '');
});
