import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { loggerTo, type LogRecord } from '../../log/logger.ts';
import type { Report } from '../ipc/messages.ts';
import { Child } from './child.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-child-'));
});
after(() => rm(folder, { recursive: true }));

describe('a process that a master starts', () => {
  it('is ended where what it says makes no sense', async () => {
    const log: LogRecord[] = [];
    const nonsense = `process.send({ kind: 'plan', plan: { fronts: -1 } }); setInterval(() => {}, 1000);`;
    const child = await start(nonsense, log);
    assert.deepEqual(await child.ended, { signal: 'SIGKILL' });
    assert.match(log[0]?.message ?? '', /nonsense/);
  });

  it('makes the master accept nobody, whatever socket it hands over', async () => {
    const program = `
      const server = require('node:net').createServer();
      server.listen(0, '127.0.0.1', () => process.send({ kind: 'failed', reason: String(server.address().port) }));
      process.on('message', () => process.send({ kind: 'alive' }, server));
      setInterval(() => {}, 1000);`;
    const log: LogRecord[] = [];
    const child = await start(program, log);
    const { reason: port } = await reportOf(child);
    child.send({ kind: 'retire' });
    assert.deepEqual(await child.ended, { signal: 'SIGKILL' });
    assert.match(log[0]?.message ?? '', /nonsense/);
    await assert.rejects(once(connect(Number(port), '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  });

  const odd = {
    'a receipt for a handle that nobody sent': `process.send({ cmd: 'NODE_HANDLE_ACK' });`,
    'what is not even JSON': `require('node:fs').writeSync(Number(process.env.NODE_CHANNEL_FD ?? 3), 'x\\n');`,
    'a connection of a server that has the name of what all objects have': connectionWithKey('constructor'),
    'a request to send a handle again': `process.send({ cmd: 'NODE_HANDLE_NACK' });`,
    'a handle of a kind that Node does not know': handleSaidToBe('net.Server', 'net.Teapot'),
    'a listening socket that is said to be another thing': handleSaidToBe('net.Server', 'dgram.Socket'),
    'a datagram socket that is said to be a connection': handleSaidToBe('dgram.Socket', 'net.Socket'),
  };
  for (const [what, program] of Object.entries(odd)) {
    it(`does not make Node throw in the master by ${what}`, async () => {
      const log: LogRecord[] = [];
      const child = await start(`${program} setInterval(() => {}, 1000);`, log);
      assert.deepEqual(await child.ended, { signal: 'SIGKILL' });
      assert.match(log[0]?.message ?? '', /nonsense/);
    });
  }

  it('leaves no connection open in the master by handing it over with words that lend none', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const program = `
      const socket = require('node:net').connect(${address.port}, '127.0.0.1', () =>
        process.send({ kind: 'answer', id: 1, lines: [] }, socket));
      setInterval(() => {}, 1000);`;
    const child = await start(program);
    const [other]: Socket[] = await once(server, 'connection');
    other?.on('error', () => {}).resume();
    assert.ok(other !== undefined);
    await Promise.all([child.ended, once(other, 'close')]);
  });

  it('gets nothing of the variables and options by which Node can be made to run other code', async () => {
    process.env['NODE_OPTIONS'] = '--no-warnings';
    process.env['NODE_EXTRA'] = 'x';
    process.env['NODE_PATH'] = '/nowhere';
    const program = `
      const variables = Object.keys(process.env).filter((name) => name.startsWith('NODE_'));
      process.send({ kind: 'failed', reason: [...variables, ...process.execArgv].join(' ') });
      process.disconnect();`;
    const child = await start(program);
    delete process.env['NODE_OPTIONS'];
    delete process.env['NODE_EXTRA'];
    delete process.env['NODE_PATH'];
    const { reason } = await reportOf(child);
    assert.match(reason, /--disable-sigusr1$/);
    assert.doesNotMatch(reason, /NODE_(OPTIONS|EXTRA)\b|warnings/);
    assert.match(reason, /\bNODE_PATH\b/);
  });

  it('has the sockets that it was given, and no other descriptor of the master', async () => {
    const program = `
      const { readdirSync, readlinkSync } = require('node:fs');
      const files = readdirSync('/proc/self/fd').map((name) => { try { return readlinkSync('/proc/self/fd/' + name); } catch { return ''; } });
      process.send({ kind: 'failed', reason: String(files.filter((name) => name.includes('popper-child-')).length) });
      process.disconnect();`;
    const child = await start(program);
    assert.equal((await reportOf(child)).reason, '0');
  });

  it('answers a question to its end, or until it is no more', async () => {
    const program = `
      process.on('message', ({ id, request }) => {
        if (request.command === 'who') return process.exit(3);
        process.send({ kind: 'answer', id, lines: [{ done: { of: request.command } }] });
      });`;
    const child = await start(program);
    const done = await Array.fromAsync(child.ask({ version: 1, command: 'status' }));
    assert.deepEqual(done, [{ done: { of: 'status' } }]);
    assert.deepEqual(await Array.fromAsync(child.ask({ version: 1, command: 'who' })), []);
    assert.deepEqual(await child.ended, { exitCode: 3 });
    // Whoever asks now is told nothing, and waits for nothing.
    assert.deepEqual(await Array.fromAsync(child.ask({ version: 1, command: 'who' })), []);
  });

  it('that cannot be started has ended', async () => {
    const child = Child.start('front', {
      program: { entry: join(folder, 'missing.cjs'), args: [] },
      log: loggerTo(() => {}),
    });
    assert.equal((await child.ended).exitCode, 1);
  });
});

let programs = 0;

async function start(program: string, log: LogRecord[] = []): Promise<Child> {
  programs += 1;
  const entry = join(folder, `child-${programs}.cjs`);
  await writeFile(entry, program);
  return Child.start('front', {
    program: { entry, args: [] },
    log: loggerTo((record) => log.push(record)),
  });
}

async function reportOf(child: Child): Promise<Extract<Report, { kind: 'failed' }>> {
  const report = await new Promise<Report>((resolve) => {
    child.heard = resolve;
  });
  assert.ok(report.kind === 'failed');
  return report;
}

/** A program that sends a handle of one kind under the name of another, as Node itself never would. */
function handleSaidToBe(kind: 'net.Server' | 'dgram.Socket', name: string): string {
  const handle =
    kind === 'net.Server'
      ? `require('node:net').createServer().listen(0, '127.0.0.1', function () { send(this); });`
      : `require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1', function () { send(this); });`;
  return `
    const { Pipe } = process.binding('pipe_wrap');
    const write = Pipe.prototype.writeUtf8String;
    Pipe.prototype.writeUtf8String = function (request, text, ...rest) {
      return write.call(this, request, text.replace('"type":"${kind}"', '"type":"${name}"'), ...rest);
    };
    const send = (handle) => process.send({ kind: 'alive' }, handle);
    ${handle}`;
}

/** A program that lends a connection as one of a server with this key. */
function connectionWithKey(key: string): string {
  return `
    const { Pipe } = process.binding('pipe_wrap');
    const write = Pipe.prototype.writeUtf8String;
    Pipe.prototype.writeUtf8String = function (request, text, ...rest) {
      return write.call(this, request, text.replace('"type":', '"key":"${key}","type":'), ...rest);
    };
    const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
      const socket = require('node:net').connect(server.address().port, '127.0.0.1', () =>
        process.send({ kind: 'alive' }, socket));
    });`;
}
