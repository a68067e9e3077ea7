import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Settings } from '../../settings.ts';
import { memoryHost, memoryMaildrop } from '../../testing.ts';
import { makeCertificate, type PemFiles } from '../testing/certificates.ts';
import { running } from '../testing/daemon-under-test.ts';
import { TlsClient } from '../testing/tls-client.ts';

let folder: string;
let files: PemFiles;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-tls-'));
  files = await makeCertificate(folder);
});
after(() => rm(folder, { recursive: true }));

const login = ['USER mrose', 'PASS secret'];
const implicit = { host: '127.0.0.1', port: 0, tls: true } as const;

test('200 clients that leave their handshakes half done leave nothing behind', async (t) => {
  const { port, log } = await serve(t);
  await session(port);
  const openAtFirst = await openFiles();
  const beginning = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);
  for (let round = 0; round < 4; round += 1) {
    const clients = Array.from({ length: 50 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    for (const [index, client] of clients.entries()) if (index % 2 === 0) client.write(beginning);
    await session(port);
    for (const [index, client] of clients.entries()) {
      if (index % 3 === 0) client.resetAndDestroy();
      else client.end();
      client.resume();
    }
    await untilLogged(log, (round + 1) * clients.length);
    for (const client of clients) client.destroy();
  }
  await session(port);
  for (let round = 0; round < 100 && (await openFiles()) > openAtFirst; round += 1) await delay(20);
  assert.ok((await openFiles()) <= openAtFirst);
});

test('a stop does not wait for a client in the middle of its handshake', async () => {
  const { daemon, port } = await running(host(), {
    tls: { ...files, minVersion: 'TLSv1.2' },
    listen: [implicit],
  });
  const client = TlsClient.silent(port);
  await delay(50);
  await daemon.stop();
  assert.equal(await client.ended(), '');
});

test('a client that sends octets that are no TLS in the middle of TLS is cut off', async (t) => {
  const { port } = await serve(t);
  const client = await TlsClient.secured(port);
  const wire = client.wire;
  wire.write('DELE 1\r\n');
  await client.ended();
});

test('a client of TLS 1.2 cannot have the handshake done again', async (t) => {
  const { port } = await serve(t);
  const client = await TlsClient.secured(port, { maxVersion: 'TLSv1.2' });
  const refused = await new Promise((resolve) => {
    client.tls.on('error', resolve);
    client.tls.renegotiate({}, (error) => resolve(error));
  });
  assert.match(String(refused), /no renegotiation/);
});

test('commands in one segment are answered in order under TLS, and one who closes his half hears them all', async (t) => {
  const { port } = await serve(t);
  const client = await TlsClient.secured(port);
  client.send(...login, 'STAT', 'RETR 1', 'DELE 1', 'QUIT');
  client.tls.end();
  const heard = await client.ended();
  assert.match(
    heard,
    /\+OK maildrop has 2 .*\r\n\+OK 2 6\r\n\+OK 3 octets\r\na\r\n\.\r\n\+OK message 1 deleted\r\n\+OK bye\r\n$/,
  );
});

test('a message of many megabytes goes to a slow reader whole, and without being held in memory', async (t) => {
  const line = `${'x'.repeat(998)}\r\n`;
  const chunk = Buffer.from(line.repeat(64));
  const chunks = 400;
  let given = 0;
  const big = {
    ...maildropOf(chunks * chunk.length),
    async *read() {
      for (given = 0; given < chunks; given += 1) yield chunk;
    },
  };
  const { port } = await serve(t, {}, memoryHost(big));
  const client = await TlsClient.secured(port);
  for (const command of login) await client.ask(command);
  let octets = 0;
  client.tls
    .removeAllListeners('data')
    .on('data', (piece: Buffer) => (octets += piece.length))
    .pause();
  client.send('RETR 1');
  for (let earlier = -1; earlier !== given;) {
    earlier = given;
    await delay(200);
  }
  assert.ok(
    given < chunks / 2,
    `${given} of ${chunks} chunks were read ahead of a client that reads nothing`,
  );
  client.tls.resume();
  client.send('QUIT');
  await client.ended();
  const around = `+OK ${big.totalOctets} octets\r\n.\r\n+OK bye\r\n`;
  assert.equal(octets, big.totalOctets + around.length);
});

test('the log has a session with its version of TLS and its cipher, and octets as the wire had them', async (t) => {
  const { port, log } = await serve(t, { listen: [{ host: '127.0.0.1', port: 0 }] });
  const client = await TlsClient.plain(port);
  await client.startTls({ minVersion: 'TLSv1.3' });
  for (const line of [...login, 'QUIT']) await client.ask(line);
  await client.ended();
  const record = await logged(log, 'session');
  assert.deepEqual(record.fields['tls'], { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' });
  assert.ok(Number(record.fields['sent']) > 1000, 'the certificate is among it');
});

const host = () => memoryHost(memoryMaildrop(['a\r\n', 'b\r\n']));

async function serve(t: TestContext, settings: Partial<Settings> = {}, plugin = host()) {
  const tls = { ...files, minVersion: 'TLSv1.2' } as const;
  const server = await running(plugin, { tls, listen: [implicit], ...settings });
  t.after(() => server.daemon.stop());
  return server;
}

async function session(port: number): Promise<void> {
  const client = await TlsClient.secured(port);
  for (const line of [...login, 'QUIT']) await client.ask(line);
  await client.ended();
}

type Log = Awaited<ReturnType<typeof serve>>['log'];

async function logged(log: Log, message: string): Promise<Log[number]> {
  for (;;) {
    const record = log.find((one) => one.message === message);
    if (record !== undefined) return record;
    await delay(10);
  }
}

async function untilLogged(log: Log, count: number): Promise<void> {
  while (log.filter(({ message }) => message === 'no TLS handshake').length < count) await delay(10);
}

const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

const maildropOf = (octets: number) => ({
  count: 1,
  totalOctets: octets,
  octetsOf: () => octets,
  uidOf: () => 'one',
  commit: async () => {},
  close: async () => {},
});
