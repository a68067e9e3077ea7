import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';

import { loggerTo, type LogRecord } from '../../log/logger.ts';
import { ask, NoAnswer, Refused, sessionsOf } from './client.ts';
import type { Control } from './commands.ts';
import { ControlRefusal } from './commands.ts';
import { ControlSocket } from './control-socket.ts';
import { kickedSchema, type SessionEntry } from './messages.ts';

const kickBob = { version: 1, command: 'kick', target: 'bob' } as const;

test('who says nothing, or stops in the middle of a question, is cut off', async (t) => {
  const { path } = await opened(t, { askWithinMs: 100 });
  for (const said of ['', '{"version":1,']) {
    const client = connect(path);
    client.write(said);
    assert.equal(await text(client), '');
  }
});

test('garbage is answered with what was expected, and a question after it with an answer', async (t) => {
  const { path } = await opened(t);
  for (const garbage of [
    '',
    'who',
    '[]',
    'null',
    '{"version":1}',
    '{"version":1,"command":"who","x":1}',
    '\xff\xfe',
  ]) {
    const client = connect(path);
    client.end(Buffer.from(`${garbage}\n{"version":1,"command":"kick","target":"bob"}\n`, 'latin1'));
    const [first, second] = (await text(client)).trim().split('\n');
    assert.match(
      first ?? '',
      /^\{"error":\{"code":"request","message":"expected one JSON object a line/,
      garbage,
    );
    assert.equal(second, '{"done":{"ended":["7-1"],"late":[]}}', garbage);
  }
});

test('a line without end is refused and not kept', async (t) => {
  const { path } = await opened(t);
  const client = connect(path);
  client.on('error', () => {});
  client.write(' '.repeat(70_000));
  assert.match(await firstLineOf(client), /"code":"request","message":"a line has 65536 octets at most"/);
  assert.deepEqual(await ask(path, kickBob, kickedSchema), { ended: ['7-1'], late: [] });
});

test('a question of another version is answered with the version that is spoken', async (t) => {
  const { path } = await opened(t);
  const client = connect(path);
  client.end('{"version":2,"command":"who"}\n');
  assert.match(await text(client), /"code":"version","message":"this popper speaks version 1"/);
});

test('who leaves in the middle of a long list costs no more than what was sent', async (t) => {
  const { path, control } = await opened(t);
  const client = connect(path);
  client.write('{"version":1,"command":"who"}\n');
  await once(client, 'data');
  client.destroy();
  await control.listEnded();
  assert.ok(control.listed < sessionCount, `${control.listed} sessions were listed for nobody`);
  assert.deepEqual(await ask(path, kickBob, kickedSchema), { ended: ['7-1'], late: [] });
});

test('who does not read a long list holds up neither memory nor the daemon, and is cut off', async (t) => {
  const { path, control } = await opened(t, { answerWithinMs: 200 });
  const client = connect(path).pause();
  client.write('{"version":1,"command":"who"}\n');
  await control.listEnded();
  assert.ok(control.listed < sessionCount, `${control.listed} sessions wait for nobody`);
  client.destroy();
});

test('a list of 10,000 sessions arrives whole', async (t) => {
  const { path } = await opened(t);
  const ids = new Set<string>();
  for await (const { id } of sessionsOf(path)) ids.add(id);
  assert.equal(ids.size, sessionCount);
});

test('what the daemon will not do is told with its reason, what goes wrong in it only to the log', async (t) => {
  const { path, control, log } = await opened(t);
  control.kick = () => Promise.reject(new ControlRefusal('there is no bob'));
  await assert.rejects(
    ask(path, kickBob, kickedSchema),
    new Refused({ code: 'refused', message: 'there is no bob' }),
  );
  control.kick = () => Promise.reject(new Error('secret: 12345'));
  await assert.rejects(ask(path, kickBob, kickedSchema), (error: unknown) => {
    assert.ok(error instanceof Refused && error.code === 'failed');
    assert.doesNotMatch(error.message, /12345/);
    return true;
  });
  assert.ok(log.some(({ level, message }) => level === 'error' && message === 'control failed'));
});

test('what changes something is logged with its target, and looking is not', async (t) => {
  const { path, log } = await opened(t);
  await ask(path, kickBob, kickedSchema);
  await sessionsOf(path).next();
  const fields = log.filter(({ message }) => message === 'control').map((record) => record.fields);
  assert.deepEqual(fields, [{ command: 'kick', target: 'bob' }]);
});

test('a daemon that is starting says so, and one that has ended answers no more', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'control.sock');
  const socket = await ControlSocket.open(
    { path },
    loggerTo(() => {}),
  );
  await assert.rejects(ask(path, kickBob, kickedSchema), /popper is starting/);
  await socket.close();
  await assert.rejects(ask(path, kickBob, kickedSchema), (error: unknown) => {
    assert.ok(error instanceof NoAnswer);
    assert.match(error.message, /^no popper answers on .*: is it running/);
    return true;
  });
});

const sessionCount = 10_000;

async function opened(t: TestContext, patience: { askWithinMs?: number; answerWithinMs?: number } = {}) {
  const path = join(await temporaryFolder(t), 'control.sock');
  const log: LogRecord[] = [];
  const logger = loggerTo((record) => log.push(record));
  const socket = await ControlSocket.open({ path }, logger, {
    askWithinMs: 10_000,
    answerWithinMs: 10_000,
    ...patience,
  });
  t.after(() => socket.close());
  const control = new Crowd();
  socket.serve(control);
  return { path, control, log };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-control-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function firstLineOf(client: Socket): Promise<string> {
  const [octets] = await Promise.race(['data', 'close'].map((event) => once(client, event)));
  client.destroy();
  return String(octets);
}

/** A daemon with many sessions, which counts how many of them it had to list. */
class Crowd implements Control {
  listed = 0;
  readonly #listEnded = Promise.withResolvers<void>();

  listEnded(): Promise<void> {
    return this.#listEnded.promise;
  }

  async *who(): AsyncGenerator<SessionEntry> {
    try {
      while (this.listed < sessionCount) {
        this.listed += 1;
        yield entry(this.listed);
      }
    } finally {
      this.#listEnded.resolve();
    }
  }

  kick: Control['kick'] = async () => ({ ended: ['7-1'], late: [] });
  unlock: Control['unlock'] = async () => ({ ended: [], late: [], lock: 'free', holders: [] });
  reload: Control['reload'] = async () => ({ generation: 2 });
  drain: Control['drain'] = async () => ({ sessions: this.listed });

  async status(): Promise<never> {
    throw new ControlRefusal('a crowd has no state');
  }
}

const entry = (number: number): SessionEntry => ({
  id: `7-${number}`,
  user: `user${number}`,
  address: '192.0.2.1',
  port: 1024,
  secure: false,
  state: 'TRANSACTION',
  startedAt: '2026-01-01T00:00:00.000Z',
  activeAt: '2026-01-01T00:00:00.000Z',
  retrieved: { messages: 1, octets: 100 },
  marked: { messages: 0, octets: 0 },
  received: 100,
  sent: 1000,
});
