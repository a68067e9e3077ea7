import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { Maildrop } from '../../maildrop/maildrop.ts';
import { memoryHost, memoryMaildrop } from '../../testing.ts';
import { identityOf, type Opens } from '../../testing/memory-host.ts';
import { State } from '../state.ts';
import { changed, running, SocketClient } from '../testing/daemon-under-test.ts';
import { DaemonControl } from './daemon-control.ts';
import type { SessionEntry } from './messages.ts';

const users = { alice: 'secret', bob: 'secret' };

test('who shows what each session is at, and never more than a command word of what was said', async (t) => {
  const maildrop = new StallingMaildrop();
  const { control, connect } = await started(t, maildrop.drop);
  const stranger = connect();
  await stranger.hears(/\+OK/);
  const alice = connect();
  alice.send('USER alice', 'PASS secret', 'RETR 1', 'DELE 2');
  await alice.hears(/message 2 deleted/);
  alice.send('RETR 3');
  await maildrop.stalls;

  assert.partialDeepStrictEqual(await listed(control), [
    { state: 'AUTHORIZATION', address: '127.0.0.1', secure: false, received: 0 },
    {
      state: 'TRANSACTION',
      user: 'alice',
      command: 'RETR',
      retrieved: { messages: 1, octets: 3 },
      marked: { messages: 1, octets: 3 },
      received: 'USER alice\r\nPASS secret\r\nRETR 1\r\nDELE 2\r\nRETR 3\r\n'.length,
    },
  ]);
});

test('a user who is kicked is told so, and nothing that was marked is deleted', async (t) => {
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const { control, connect } = await started(t, maildrop);
  const alice = connect();
  alice.send('USER alice', 'PASS secret', 'DELE 1');
  await alice.hears(/deleted/);
  const [{ id } = { id: '' }] = await listed(control);
  assert.deepEqual(await control.kick('alice'), { ended: [id], late: [] });
  assert.match(await alice.ended(), /-ERR \[SYS\/TEMP\] the operator has ended this session/);
  assert.equal(maildrop.kept().length, 2);
  await assert.rejects(control.kick('alice'), /there is no session alice, and none of a user of that name/);
});

test('a session is kicked by its id, and the others of the user stay', async (t) => {
  const { control, connect } = await started(t, () => memoryMaildrop(['a\r\n']));
  const [first, second] = [connect(), connect()];
  for (const client of [first, second]) {
    client.send('USER alice', 'PASS secret');
    await client.hears(/maildrop has/);
  }
  const [entry] = await listed(control);
  await control.kick(entry?.id ?? '');
  await first.ended();
  second.send('NOOP');
  await second.hears(/octets\)\r\n\+OK\r\n$/);
  assert.equal((await listed(control)).length, 1);
});

test('a message that is stuck on its way does not keep a session from being kicked', async (t) => {
  const maildrop = new StallingMaildrop();
  const { control, connect } = await started(t, maildrop.drop);
  const alice = connect();
  alice.send('USER alice', 'PASS secret', 'RETR 3');
  await maildrop.stalls;
  const { ended, late } = await control.kick('alice');
  assert.deepEqual([ended.length, late.length], [1, 0]);
});

test('an UPDATE at work is not cut short by a kick', async (t) => {
  const committing = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const slow = changed(maildrop, {
    async commit(deleted) {
      committing.resolve();
      await go.promise;
      await maildrop.commit(deleted);
    },
  });
  const { control, connect } = await started(t, slow);
  const alice = connect();
  alice.send('USER alice', 'PASS secret', 'DELE 1', 'QUIT');
  await committing.promise;
  const kicked = control.kick('alice');
  go.resolve();
  assert.deepEqual((await kicked).late, []);
  assert.match(await alice.ended(), /\+OK bye\r\n$/);
  assert.equal(maildrop.kept().length, 1);
});

test('who unlocks a maildrop hears that it is free when it is', async (t) => {
  const { control, connect, state } = await started(t, memoryMaildrop([]));
  const alice = connect();
  alice.send('USER alice', 'PASS secret');
  await alice.hears(/maildrop has/);
  assert.deepEqual((await control.unlock('alice')).lock, 'unknown', 'this store asks for no lock');
  const claim = await state.claim(identityOf('alice'), 'the mail of alice');
  await claim.release();
  assert.deepEqual(await control.unlock('alice'), { ended: [], late: [], lock: 'free', holders: [] });
});

test('a maildrop that another process holds is said to be held, and by whom', async (t) => {
  const { control, state, folder } = await started(t, memoryMaildrop([]));
  // Another opening of the lock files is to the kernel what another process is.
  const claim = await new State(folder).claim(identityOf('bob'), 'the mail of both');
  await assert.rejects(state.claim(identityOf('alice'), 'the mail of both'), /in use/);
  const { lock, holders } = await control.unlock('alice');
  assert.equal(lock, 'held');
  assert.deepEqual(
    holders.map(({ pid }) => pid),
    [process.pid],
  );
  await claim.release();
  assert.equal((await control.unlock('alice')).lock, 'free');
});

test('the status counts logins and messages, of sessions that are over as well', async (t) => {
  const { control, connect } = await started(t, memoryMaildrop(['a\r\n', 'b\r\n']));
  const alice = connect();
  alice.send('USER alice', 'PASS wrong', 'USER alice', 'PASS secret', 'RETR 1', 'DELE 1', 'QUIT');
  await alice.ended();
  const bob = connect();
  bob.send('USER bob', 'PASS secret', 'RETR 1');
  await bob.hears(/\r\n\.\r\n$/);
  const status = await control.status();
  assert.deepEqual(status.sessions, { authorization: 0, transaction: 1 });
  assert.deepEqual(status.logins, { accepted: 2, refused: 1 });
  assert.deepEqual(status.retrieved, { messages: 2, octets: 6 });
  assert.deepEqual(status.deleted, { messages: 1, octets: 3 });
  assert.equal(status.pid, process.pid);
  assert.ok(status.memory.residentOctets > status.memory.heapOctets);
});

test('a daemon that is drained lets nobody in, and lets those who are there finish', async (t) => {
  const maildrop = memoryMaildrop(['a\r\n', 'b\r\n']);
  const { control, connect, drained } = await started(t, maildrop);
  const alice = connect();
  alice.send('USER alice', 'PASS secret', 'DELE 1');
  await alice.hears(/deleted/);
  assert.deepEqual(await control.drain(), { sessions: 1 });
  assert.deepEqual(await control.drain(), { sessions: 1 });
  assert.equal((await control.status()).draining, true);
  const late = connect();
  assert.equal(await late.ended(), '');
  assert.equal(late.broken, 'ECONNREFUSED');
  alice.send('QUIT');
  assert.match(await alice.ended(), /\+OK bye/);
  await drained();
  assert.equal(maildrop.kept().length, 1);
});

test('one process alone cannot reload, and says what to do instead', async (t) => {
  const { control } = await started(t, memoryMaildrop([]));
  await assert.rejects(control.reload(), /fronts: 1.*popper drain/);
});

async function started(t: TestContext, opens: Opens) {
  const { daemon, port } = await running(memoryHost(opens, users), { stopTimeoutMs: 200 });
  const folder = await mkdtemp(join(tmpdir(), 'popper-control-'));
  const state = new State(folder);
  let draining: Promise<void> | undefined;
  const control = new DaemonControl(daemon, {
    version: '1.2.3',
    configFile: '/etc/popper/popper.config.ts',
    state,
    drain: () => {
      draining = daemon.drain();
    },
  });
  const clients: SocketClient[] = [];
  t.after(async () => {
    for (const { socket } of clients) socket.destroy();
    control.close();
    await daemon.stop();
    await rm(folder, { recursive: true });
  });
  const connect = (): SocketClient => {
    const client = new SocketClient(port);
    clients.push(client);
    return client;
  };
  return { control, connect, state, folder, drained: async () => draining };
}

/** A maildrop whose third message does not come until its reader is gone. */
class StallingMaildrop {
  readonly drop: Maildrop;
  /** Resolves when somebody waits for it. */
  readonly stalls: Promise<void>;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    const maildrop = memoryMaildrop(['a\r\n', 'b\r\n', 'c\r\n']);
    this.stalls = promise;
    this.drop = changed(maildrop, {
      async *read(index, signal) {
        if (index === 2) {
          resolve();
          await once(signal, 'abort');
        }
        yield* maildrop.read(index, signal);
      },
    });
  }
}

async function listed(control: DaemonControl): Promise<readonly SessionEntry[]> {
  return Array.fromAsync(control.who());
}
