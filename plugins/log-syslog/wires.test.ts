import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { StreamWire } from './stream-wire.ts';
import { DatagramReceiver } from './testing/datagram-receiver.ts';
import { StreamReceiver } from './testing/stream-receiver.ts';
import { until } from './testing/until.ts';
import { UdpWire } from './udp-wire.ts';
import { UnixWire } from './unix-wire.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-syslog-'));
after(() => rm(folder, { recursive: true }));
const line = (text: string): Buffer => Buffer.from(`<133>${text}`);

test('a local syslog that is away is missed, and found again when it is restarted', async (t) => {
  const path = join(folder, 'restarted');
  const wire = new UnixWire(path);
  t.after(() => wire.close());
  await assert.rejects(wire.open(), { code: 'ENOENT' });
  await assert.rejects(wire.send(line('lost')), { code: 'ENOENT' });
  const first = await DatagramReceiver.open(path);
  await wire.open();
  assert.equal(await wire.send(line('one')), 'sent');
  await until(() => first.received.includes('<133>one'));
  await first.close();
  await assert.rejects(wire.send(line('lost')), { code: 'ECONNREFUSED' });
  await rm(path);
  const second = await DatagramReceiver.open(path);
  t.after(() => second.close());
  assert.equal(await wire.send(line('two')), 'sent');
  await until(() => second.received.includes('<133>two'));
});

test('a local syslog that does not read is busy, and one line that is too long is refused', async (t) => {
  const path = join(folder, 'deaf');
  const reader = await DatagramReceiver.open(path, 60);
  const wire = new UnixWire(path);
  t.after(() => Promise.all([reader.close(), wire.close()]));
  assert.equal(await wire.send(Buffer.alloc(10_000_000, 'x')), 'refused');
  let answer = 'sent';
  for (let sent = 0; answer === 'sent' && sent < 10_000; sent += 1)
    answer = await wire.send(Buffer.alloc(1000, 'x'));
  assert.equal(answer, 'busy');
});

test('a file that is no socket is no syslog', async (t) => {
  const wire = new UnixWire('/etc/passwd');
  t.after(() => wire.close());
  await assert.rejects(wire.open(), /\/etc\/passwd is no socket/);
});

test('a host hears each line as one datagram', async (t) => {
  const receiver = createSocket('udp4').bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  const heard: string[] = [];
  receiver.on('message', (octets) => heard.push(String(octets)));
  const wire = new UdpWire('127.0.0.1', receiver.address().port);
  t.after(() => receiver.close());
  t.after(() => wire.close());
  await wire.send(line('one'));
  await wire.send(line('two'));
  assert.equal(await wire.send(Buffer.alloc(65_536, 'x')), 'refused');
  await until(() => heard.length === 2);
  assert.deepEqual(heard, ['<133>one', '<133>two']);
});

test('a host that says that nobody is there is missed, and so is one without an address', async (t) => {
  const gone = createSocket('udp4').bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  gone.close();
  const wire = new UdpWire('127.0.0.1', port);
  t.after(() => wire.close());
  const keepSending = async (): Promise<void> => {
    for (let sent = 0; sent < 1000; sent += 1) await wire.send(line('lost'));
  };
  await assert.rejects(keepSending(), { code: 'ECONNREFUSED' });
  await assert.rejects(new UdpWire('nobody.invalid', 514).open(), { syscall: 'getaddrinfo' });
});

test('a receiver over TCP can tell the lines apart, whatever is in them', async (t) => {
  const receiver = await StreamReceiver.start();
  const wire = new StreamWire({ host: '127.0.0.1', port: receiver.port });
  t.after(() => Promise.all([wire.close(), receiver.stop()]));
  const lines = ['one', '12 two\n3 three', ''].map(line);
  for (const one of lines) assert.equal(await wire.send(one), 'sent');
  await until(() => receiver.received.length === 3);
  assert.deepEqual(receiver.received, lines.map(String));
});

test('a receiver over TCP that is restarted is connected to again', async (t) => {
  const first = await StreamReceiver.start();
  const { port } = first;
  const wire = new StreamWire({ host: '127.0.0.1', port });
  t.after(() => wire.close());
  await wire.send(line('one'));
  await until(() => first.received.length === 1);
  await first.stop();
  // The end of the connection is heard of in its time, and until then the kernel takes what is sent.
  const misses = async (): Promise<void> => {
    for (;;) await wire.send(line('lost'));
  };
  await assert.rejects(misses());
  const second = await StreamReceiver.start({ port });
  t.after(() => second.stop());
  await wire.send(line('two')).catch(() => wire.send(line('two')));
  await until(() => second.received.includes('<133>two'));
});

test('over TLS a line goes to whom the certificate names, and to nobody else', async (t) => {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const ca = await readFile(certificate, 'utf8');
  const receiver = await StreamReceiver.start({ tls: { cert: ca, key: await readFile(key) } });
  const { port } = receiver;
  const wires = {
    trusted: new StreamWire({ host: 'localhost', port, tls: { ca } }),
    stranger: new StreamWire({ host: 'localhost', port, tls: { ca: undefined } }),
    misnamed: new StreamWire({ host: '127.0.0.1', port, tls: { ca } }),
  };
  t.after(() => Promise.all([...Object.values(wires).map((wire) => wire.close()), receiver.stop()]));
  await assert.rejects(wires.stranger.send(line('lost')), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  await assert.rejects(wires.misnamed.send(line('lost')), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  assert.equal(await wires.trusted.send(line('one')), 'sent');
  await until(() => receiver.received.length > 0);
  assert.deepEqual(receiver.received, ['<133>one']);
});
