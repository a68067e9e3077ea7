import assert from 'node:assert/strict';
import { tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { listen } from './listener.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-listener-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const ignore = (): void => {};

test('a port that another program has is named, and what to do about it', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const { port } = address;
  await assert.rejects(
    listen({ host: '127.0.0.1', port }, ignore, ignore),
    new RegExp(`cannot listen on 127.0.0.1:${port}: another program has it`),
  );
  other.close();
});

test('a port 0 becomes a number in the address, in both families', async () => {
  const four = await listen({ host: '127.0.0.1', port: 0 }, ignore, ignore);
  const six = await listen({ host: '::1', port: 0 }, ignore, ignore);
  assert.match(four.address, /^127\.0\.0\.1:[1-9][0-9]*$/);
  assert.match(six.address, /^\[::1\]:[1-9][0-9]*$/);
  await Promise.all([four.close(), six.close()]);
});

test('the socket file of a dead daemon is replaced, that of a living one and any other file are not', async () => {
  const path = join(folder, 'popper.sock');
  const dead = createServer().listen(path);
  await once(dead, 'listening');
  await assert.rejects(listen({ path }, ignore, ignore), /another program has it/);
  const file = join(folder, 'file');
  await writeFile(file, '');
  await assert.rejects(listen({ path: file }, ignore, ignore), /a file that is no socket is there/);
  dead.close();

  const stale = join(folder, 'stale.sock');
  const { spawnSync } = await import('node:child_process');
  const leave = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', leave]);
  assert.ok((await stat(stale)).isSocket());
  const fresh = await listen({ path: stale, mode: 0o600 }, (socket) => socket.end('+OK\r\n'), ignore);
  assert.equal((await stat(stale)).mode & 0o777, 0o600);
  const client = connect(stale);
  const [octets] = await once(client, 'data');
  assert.equal(String(octets), '+OK\r\n');
  await fresh.close();
});

test('a client whom the kernel cannot hand over is told of, and the next one comes in', async () => {
  let opened: unknown;
  const ignored = { start: ignore, end: ignore, asyncStart: ignore, error: ignore };
  const watch = { ...ignored, asyncEnd: (message: object) => (opened = Reflect.get(message, 'server')) };
  const listening = tracingChannel('net.server.listen');
  listening.subscribe(watch);
  const failures: Error[] = [];
  const path = join(folder, 'unlucky.sock');
  const listener = await listen(
    { path },
    (socket) => socket.end('+OK\r\n'),
    (error) => failures.push(error),
  );
  listening.unsubscribe(watch);
  assert.ok(opened instanceof Server);
  opened.emit('error', new Error('accept ENOBUFS'));
  assert.deepEqual(
    failures.map(({ message }) => message),
    ['accept ENOBUFS'],
  );
  const [octets] = await once(connect(path), 'data');
  assert.equal(String(octets), '+OK\r\n');
  await listener.close();
});
