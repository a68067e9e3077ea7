import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Plugin } from '../plugin/plugin.ts';
import type { Settings } from '../settings.ts';
import { memoryHost, memoryMaildrop } from '../testing.ts';
import type { Part } from './daemon.ts';
import { Limits } from './limits.ts';
import { makeCertificate } from './testing/certificates.ts';
import { changed, running, SocketClient } from './testing/daemon-under-test.ts';

const noRoom = /^-ERR \[SYS\/TEMP\] too many connections/;
const crowdedOut = /-ERR \[SYS\/TEMP\] too many connections, and others have waited for longer\r\n$/;
const loggedIn = /maildrop has \d+ messages?/;

const few = (connections: number): Partial<Settings> => ({
  limits: { connections, connectionsPerAddress: 1000 },
});

/** A daemon whose clients leave when the test ends. */
async function begin(
  t: TestContext,
  settings: Partial<Settings>,
  plugin: Plugin = hostOf(),
  part: Partial<Part> = {},
) {
  const { daemon, port, log } = await running(plugin, settings, part);
  const clients: SocketClient[] = [];
  t.after(async () => {
    for (const { socket } of clients) socket.destroy();
    await daemon.stop();
  });
  const open = (): SocketClient => {
    const client = new SocketClient(port);
    // As most do: what lingers for those who do not would keep the daemon from its end.
    client.socket.once('end', () => client.socket.end());
    clients.push(client);
    return client;
  };
  return {
    daemon,
    log,
    open,
    greeted: async (): Promise<SocketClient> => {
      const client = open();
      await client.hears(/^\+OK/);
      return client;
    },
    user: async (): Promise<SocketClient> => {
      const client = open();
      client.send('USER mrose', 'PASS secret');
      await client.hears(loggedIn);
      return client;
    },
  };
}

const hostOf = (): Plugin => memoryHost(() => memoryMaildrop(['a\r\n']));

test('silent clients who take all places give way to users, the oldest first, and no user gives way to them', async (t) => {
  const { open, greeted, user } = await begin(t, few(5));
  const first = await greeted();
  const second = await greeted();
  for (let client = 2; client < 5; client += 1) await greeted();
  const mrose = await user();
  assert.match(await first.ended(), crowdedOut);
  assert.ok(!second.socket.closed);
  for (let client = 0; client < 200; client += 1) open();
  await greeted();
  mrose.send('NOOP', 'QUIT');
  assert.match(await mrose.ended(), /\+OK bye\r\n$/);
});

test('when users have all places the next client is told so, and comes in when one leaves', async (t) => {
  const { open, greeted, user } = await begin(t, few(2));
  const first = await user();
  await user();
  assert.match(await open().ended(), noRoom);
  first.send('QUIT');
  await first.ended();
  await delay(50);
  await greeted();
});

test('a client whose address has its share turns nobody out', async (t) => {
  const { open, greeted } = await begin(t, { limits: { connections: 1, connectionsPerAddress: 1 } });
  const first = await greeted();
  assert.match(await open().ended(), noRoom);
  first.send('QUIT');
  assert.match(await first.ended(), /\+OK bye/);
});

test('who makes room is logged so, and not as one who left', async (t) => {
  const { daemon, log, greeted } = await begin(t, few(1));
  await greeted();
  await greeted();
  await daemon.stop();
  const endings = log.filter(({ message }) => message === 'session').map(({ fields }) => fields['ending']);
  assert.deepEqual(endings, ['crowded', 'stopped']);
});

test('a client who makes room while its password is looked at is not let in after all', async (t) => {
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let opened = 0;
  const host = memoryHost(() => {
    opened += 1;
    return memoryMaildrop([]);
  });
  const slow: Plugin = {
    ...host,
    apply(popper) {
      popper.hooks.authenticate.tapPromise('slow', async () => {
        asked.resolve();
        await gate.promise;
        return undefined;
      });
      host.apply(popper);
    },
  };
  const { open, greeted } = await begin(t, few(1), slow);
  const client = open();
  client.send('USER mrose', 'PASS secret');
  await asked.promise;
  await greeted();
  assert.match(await client.ended(), crowdedOut);
  gate.resolve();
  await delay(50);
  assert.equal(opened, 0);
});

test('a client who does not read what it was told is cut off to make room, and costs nothing', async (t) => {
  const { open, greeted } = await begin(t, few(1));
  const deaf = open();
  deaf.socket.pause();
  // More answers than a kernel keeps for a client who does not read: 33 MB, where it is generous.
  deaf.socket.write('CAPA\r\n'.repeat(600_000));
  await delay(1500);
  await greeted();
  const closed = new Promise((resolve) => deaf.socket.once('close', resolve));
  deaf.socket.resume();
  await closed;
  assert.doesNotMatch(deaf.heard, crowdedOut);
});

test('nothing is said in plain in the middle of a handshake, or where one is due', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-crowd-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const tls = { ...(await makeCertificate(folder)), minVersion: 'TLSv1.2' as const };
  const listen = [{ host: '127.0.0.1', port: 0, tls: true }];
  const crowded = await begin(t, { tls, listen, ...few(1) });
  const first = crowded.open();
  await delay(50);
  crowded.open();
  assert.equal(await first.ended(), '', 'it made room');
  const limits = { connections: 2, connectionsPerAddress: 1 };
  const full = await begin(t, { tls, listen, limits });
  full.open();
  await delay(50);
  assert.equal(await full.open().ended(), '', 'its address has its share');
});

test('a user has so many sessions at one time and no more, and other users have theirs', async (t) => {
  const host = memoryHost(() => memoryMaildrop(['a\r\n']), { mrose: 'secret', jdoe: 'secret' });
  const limits = { connections: 10, connectionsPerAddress: 10, sessionsPerUser: 2 };
  const { daemon, log, open, user } = await begin(t, { limits }, host);
  const first = await user();
  await user();
  const third = open();
  third.send('USER mrose', 'PASS secret', 'STAT');
  assert.match(await third.ended(), /-ERR \[IN-USE\] too many sessions of this user, end one of them\r\n$/);
  const other = open();
  other.send('USER jdoe', 'PASS secret');
  await other.hears(loggedIn);
  first.send('QUIT');
  await first.ended();
  await user();
  await daemon.stop();
  const [refused] = log.filter(({ fields }) => fields['ending'] === 'refused');
  assert.equal(refused?.fields['user'], 'mrose');
});

/** A daemon that has limits together with others, and what these have; it hears of it when it looks, and not before `answer` is called. */
async function beginWithOthers(t: TestContext, limits: Settings['limits'], plugin?: Plugin) {
  const shared = new Limits(limits, { processes: 2, ofUsers: true });
  let asked = Promise.withResolvers<void>();
  let answered = Promise.withResolvers<void>();
  shared.shareBy({
    tell() {},
    look: () => {
      asked.resolve();
      return answered.promise;
    },
  });
  const hear = (count: number): void =>
    shared.hear({ addresses: [['127.0.0.1', count]], networks: [], users: [['mrose', count]] });
  return {
    ...(await begin(t, { limits }, plugin, { limits: shared })),
    hear,
    /** Resolves when it looks. */
    looks: () => asked.promise,
    /** The others have so many now. */
    answer: (count: number): void => {
      hear(count);
      answered.resolve();
      asked = Promise.withResolvers();
      answered = Promise.withResolvers();
    },
  };
}

test('others are asked before anybody is refused for what they have', async (t) => {
  const limits = { connections: 10, connectionsPerAddress: 2 };
  const { open, hear, looks, answer } = await beginWithOthers(t, limits);
  hear(2);
  const refused = open();
  await looks();
  answer(2);
  assert.match(await refused.ended(), noRoom);
  const gone = open();
  await looks();
  gone.socket.resetAndDestroy();
  await delay(50);
  answer(1);
  // Who has gone has taken nothing.
  const letIn = open();
  await letIn.hears(/^\+OK /);
  const another = open();
  await looks();
  answer(0);
  await another.hears(/^\+OK /);
});

test('a session of a user is not begun for what others had, nor for one who is gone when they have answered', async (t) => {
  let opened = 0;
  const plugin = memoryHost(() => {
    opened += 1;
    return memoryMaildrop(['a\r\n']);
  });
  const limits = { connections: 1, connectionsPerAddress: 10, sessionsPerUser: 1 };
  const { open, hear, looks, answer } = await beginWithOthers(t, limits, plugin);
  const logIn = (): SocketClient => {
    const client = open();
    client.send('USER mrose', 'PASS secret', 'STAT');
    return client;
  };
  hear(1);
  const refused = logIn();
  await looks();
  answer(1);
  assert.match(await refused.ended(), /-ERR \[IN-USE\] too many sessions of this user, end one of them\r\n$/);
  const crowdedOne = logIn();
  await looks();
  const next = open();
  assert.match(await crowdedOne.ended(), crowdedOut);
  answer(0);
  await next.hears(/^\+OK /);
  assert.equal(opened, 0);
  next.send('USER mrose', 'PASS secret');
  await next.hears(loggedIn);
});

test('wrong passwords count for no sessions of the user', async (t) => {
  const limits = { connections: 10, connectionsPerAddress: 10, sessionsPerUser: 1 };
  const { open, user } = await begin(t, { limits, maxAuthFailures: 100 });
  const guesser = open();
  guesser.send(...Array.from({ length: 5 }, () => ['USER mrose', 'PASS wrong']).flat());
  await guesser.hears(/(?:-ERR \[AUTH\][^\r]*\r\n[^]*){5}/);
  await user();
});

test('a user who reads nothing keeps a place for a minute, and then makes room for others', async (t) => {
  const octets = 20_000_000;
  const maildrop = memoryMaildrop(['']);
  const big = changed(maildrop, {
    octetsOf: () => octets,
    async *read() {
      for (let sent = 0; sent < octets; sent += 50_000) yield Buffer.alloc(50_000, 'text\r\n');
    },
  });
  const { open, user, daemon, log } = await begin(t, few(1), memoryHost(big));
  const stalled = await user();
  stalled.socket.pause();
  stalled.send('RETR 1');
  await delay(200);
  assert.match(await open().ended(), noRoom);
  passes(t, 61_000);
  const next = open();
  await next.hears(/^\+OK/);
  next.socket.destroy();
  await daemon.stop();
  assert.equal(maildrop.closings, 1, 'its maildrop is free');
  const session = log.find(({ message, fields }) => message === 'session' && fields['user'] === 'mrose');
  assert.equal(session?.fields['ending'], 'crowded');
});

/** One who asks for much at one time and reads nothing, when as much has been made ready for him as ever will be. */
async function whoReadsNothing(t: TestContext, settings: Partial<Settings>) {
  const message = 'x'.repeat(60_000);
  const maildrop = memoryMaildrop([message]);
  let reads = 0;
  const slow = changed(maildrop, {
    octetsOf: () => message.length,
    async *read() {
      reads += 1;
      await delay(0);
      yield Buffer.from(message);
    },
  });
  const begun = await begin(t, settings, memoryHost(slow));
  const stalled = await begun.user();
  stalled.socket.pause();
  stalled.send(...Array.from({ length: 5000 }, () => 'RETR 1'));
  await settled(() => reads);
  return { ...begun, maildrop, stalled, reads: () => reads };
}

test('who has asked for much at one time and reads nothing is answered no further, and then cut off in what he has not read', async (t) => {
  const { open, stalled, reads } = await whoReadsNothing(t, few(1));
  // As much as a kernel keeps where it is generous is 33 MB.
  assert.ok(reads() < 800, `${reads()} messages were begun, 60 KB each`);
  passes(t, 61_000);
  await open().hears(/^\+OK/);
  const closed = new Promise((resolve) => stalled.socket.once('close', resolve));
  stalled.socket.resume();
  await closed;
  assert.equal(stalled.broken, 'ECONNRESET', 'not an end that could be taken for that of the message');
});

test('a stop does not wait for who reads nothing, though he has asked for more', async (t) => {
  const { daemon, maildrop, stalled } = await whoReadsNothing(t, {
    // Longer than any test may take.
    stopTimeoutMs: 3_600_000,
  });
  const stopped = daemon.stop();
  await settled(() => maildrop.closings);
  assert.equal(maildrop.closings, 1);
  stalled.socket.destroy();
  await stopped;
});

/** Resolves when it has begun to count, and has not changed for a while. */
async function settled(count: () => number): Promise<void> {
  for (let last = 0; last === 0 || last !== count();) {
    last = count();
    await delay(500);
  }
}

/** Sets the clock that the daemon measures patience by. */
function passes(t: TestContext, ms: number): void {
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + ms);
}
