import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { createCore } from '../core.ts';
import { loggerTo, type LogRecord } from '../log/logger.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import type { Plugin } from '../plugin/plugin.ts';
import { defaultSettings, type Settings } from '../settings.ts';
import { memoryHost, memoryMaildrop } from '../testing.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { State } from './state.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-daemon-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

interface Running {
  readonly daemon: Daemon;
  readonly port: number;
  readonly log: readonly LogRecord[];
}

async function running(plugin: Plugin, settings: Partial<Settings> = {}): Promise<Running> {
  const log: LogRecord[] = [];
  const stateDir = join(folder, 'state');
  const state = new State(stateDir);
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const core = createCore([plugin], {
    settings: { ...defaultSettings, listen, stateDir, ...settings },
    log: loggerTo((record) => log.push(record)),
    state,
    baseFolder: folder,
  });
  const daemon = await startDaemon(core, state);
  return { daemon, port: Number(daemon.addresses[0]?.split(':').at(-1)), log };
}

const withRead = (maildrop: Maildrop, read: Maildrop['read']): Maildrop => ({
  count: maildrop.count,
  totalOctets: maildrop.totalOctets,
  octetsOf: (index) => maildrop.octetsOf(index),
  uidOf: (index) => maildrop.uidOf(index),
  read,
  commit: (deleted) => maildrop.commit(deleted),
  close: () => maildrop.close(),
});

/** A client over a socket: what it hears is gathered, and asked for by its end. */
class Client {
  readonly socket: Socket;
  heard = '';

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.heard += text;
    });
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  async hears(expected: RegExp): Promise<void> {
    while (!expected.test(this.heard)) await once(this.socket, 'data');
  }

  /** Resolves when the server has said all it will. */
  async ended(): Promise<string> {
    if (!this.socket.readableEnded) await once(this.socket, 'end');
    this.socket.destroy();
    return this.heard;
  }
}

test('a client that never logs in is sent away in silence, however busy it looks', async () => {
  const { daemon, port } = await running(memoryHost(memoryMaildrop([])), { loginTimeoutMs: 300 });
  const client = new Client(port);
  const chatter = setInterval(() => client.send('CAPA'), 50);
  const heard = await client.ended();
  clearInterval(chatter);
  assert.doesNotMatch(heard, /-ERR/);
  await daemon.stop();
});

test('U4: an idle session is closed without a reply and without UPDATE; a command puts it off', async () => {
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const { daemon, port, log } = await running(memoryHost(maildrop), { idleTimeoutMs: 400 });
  const client = new Client(port);
  client.send('USER mrose', 'PASS secret', 'DELE 1');
  await client.hears(/deleted\r\n$/);
  for (let round = 0; round < 4; round += 1) {
    await delay(200);
    client.send('NOOP');
  }
  await client.hears(/(\+OK\r\n){4}$/);
  const heard = await client.ended();
  assert.match(heard, /(\+OK\r\n){4}$/);
  await daemon.stop();
  assert.equal(maildrop.kept().length, 2);
  assert.equal(log.find(({ message }) => message === 'session')?.fields['ending'], 'idle');
});

test('U8: a stop tells idle sessions, removes nothing of theirs, and lets a command at work end', async () => {
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const reading = Promise.withResolvers<void>();
  const slow = withRead(maildrop, async function* read() {
    reading.resolve();
    await delay(300);
    yield Buffer.from('slow\r\n');
  });
  const { daemon, port } = await running(memoryHost(slow));
  const client = new Client(port);
  client.send('USER mrose', 'PASS secret', 'DELE 1', 'RETR 2', 'QUIT');
  await reading.promise;
  const stopped = daemon.stop();
  const heard = await client.ended();
  await stopped;
  assert.match(heard, /slow\r\n\.\r\n-ERR \[SYS\/TEMP\] the server is being stopped/);
  assert.equal(maildrop.kept().length, 2, 'QUIT came after the stop, so DELE is not carried out');
});

test('a stop does not wait for ever for a plugin that hangs', async () => {
  const hangs = memoryHost(withRead(memoryMaildrop(['a\r\n']), hang));
  const { daemon, port } = await running(hangs, { stopTimeoutMs: 200 });
  const client = new Client(port);
  client.send('USER mrose', 'PASS secret', 'RETR 1');
  await client.hears(/octets\)\r\n/);
  await daemon.stop();
  client.socket.destroy();
});

// oxlint-disable-next-line require-yield -- it never gets that far
async function* hang(_: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await once(signal, 'abort');
}

test('L3: a client that sends and sends without a line end is told and dropped', async () => {
  const { daemon, port } = await running(memoryHost(memoryMaildrop([])));
  const client = new Client(port);
  client.socket.on('error', () => {});
  client.socket.write('x'.repeat(200_000));
  assert.match(await client.ended(), /-ERR line too long.*\r\n-ERR too many octets/);
  await daemon.stop();
});

test('one address has so many connections and no more, and is told why', async () => {
  const limits = { connections: 10, connectionsPerAddress: 1 };
  const { daemon, port } = await running(memoryHost(memoryMaildrop([])), { limits });
  const first = new Client(port);
  await first.hears(/\+OK/);
  assert.match(await new Client(port).ended(), /^-ERR \[SYS\/TEMP\] too many connections/);
  first.send('QUIT');
  await first.ended();
  await delay(50);
  const third = new Client(port);
  await third.hears(/\+OK/);
  third.socket.destroy();
  await daemon.stop();
});

test('L19: a client that closes its half after QUIT is answered, and its messages are deleted', async () => {
  const maildrop = memoryMaildrop(['a\r\n']);
  const { daemon, port } = await running(memoryHost(maildrop));
  const client = new Client(port);
  client.send('USER mrose', 'PASS secret', 'DELE 1', 'QUIT');
  client.socket.end();
  assert.match(await client.ended(), /message 1 deleted\r\n\+OK bye\r\n$/);
  assert.deepEqual(maildrop.kept(), []);
  await daemon.stop();
});
