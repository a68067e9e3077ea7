import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chown, link, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { SpoolLock, SpoolLockAttempt } from '../../core/plugin/spool-locks.ts';
import { actingAs } from '../../core/server/user/account.ts';
import { encodeFrame } from '../../core/server/user/frames.ts';
import { needs, run } from '../e2e/support/program.ts';
import { Child } from './support/children.ts';
import { LockedSpool, mailGid, popper, until } from './support/locked-spool.ts';
import { alice, bob, system } from './support/site.ts';

const skip = process.getuid?.() === 0 ? needs('procmail').skip : 'only root can start a locker';
const refused = { code: 'SYS/PERM' };

function held(attempt: SpoolLockAttempt): SpoolLock {
  assert.ok(typeof attempt !== 'string', `the lock was not had: ${JSON.stringify(attempt)}`);
  return attempt;
}

/** Resolves when this worker could have the lock; it is free again then. */
const untilHad = (worker: ReturnType<LockedSpool['worker']>, path: string): Promise<void> =>
  until(async () => {
    const attempt = await worker.tryLock(path);
    return typeof attempt !== 'string' && (await attempt.release()) === 'released';
  }, `the lock of ${path}`);

let spool: LockedSpool;
const setUp = async (): Promise<void> => {
  spool = await LockedSpool.make();
};
const tearDown = async (): Promise<void> => spool.dispose();

describe('a worker in a spool where only group mail may write', { skip }, () => {
  beforeEach(setUp);
  afterEach(tearDown);

  test('gets the lock of its own mailbox, which other programs see, and gives it back', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    const lock = held(await worker.tryLock(path));
    await spool.hasLocks('alice.lock');
    assert.equal((await lstat(`${path}.lock`)).uid, popper.uid);
    assert.match(await readFile(`${path}.lock`, 'latin1'), new RegExp(`^${spool.locker.process.pid} `));
    assert.equal(await worker.tryLock(path), 'busy');
    const { exitCode } = await run('lockfile', ['-r', '0', `${path}.lock`], { home: '/', fine: [73] });
    assert.equal(exitCode, 73, 'lockfile had it, too');
    await lock.refresh();
    assert.equal(await lock.release(), 'released');
    assert.deepEqual(await spool.locks(), []);
    await run('lockfile', ['-r', '0', `${path}.lock`], { home: '/' });
    assert.equal(await worker.tryLock(path), 'busy');
  });

  test('does not get that of a neighbour, and the log tells of it', async () => {
    await spool.deliver(alice);
    const path = await spool.deliver(bob);
    const worker = spool.worker(alice.uid);
    await worker.met;
    await assert.rejects(worker.tryLock(path), refused);
    assert.deepEqual(await spool.locks(), []);
    await until(() => spool.locker.stderr.includes('that its user may not have'), 'told');
    assert.match(spool.locker.stderr, /"uid":2001/);
    // He goes on as if nothing had been.
    await held(await worker.tryLock(spool.site.mboxOf(alice))).release();
  });

  test('locks nothing by names that lead out of the spool, or to no mailbox of its own', async () => {
    await spool.deliver(alice);
    const { spool: folder, folder: above } = spool.site;
    await writeFile(join(above, 'alice'), '');
    await chown(join(above, 'alice'), alice.uid, alice.gid);
    await mkdir(join(folder, 'alices'));
    await chown(join(folder, 'alices'), alice.uid, alice.gid);
    await writeFile(join(folder, 'alices', 'alice'), '');
    await chown(join(folder, 'alices', 'alice'), alice.uid, alice.gid);
    const worker = spool.worker(alice.uid);
    await worker.met;
    for (const path of [
      `${folder}/../alice`,
      `${folder}/./alice`,
      `${folder}//alice`,
      `${folder}/..`,
      `${folder}/`,
      folder,
      '/etc/passwd',
      join(above, 'alice'),
      `${folder}/alices/alice`,
      `${folder}/alice\0`,
      `${folder}/alice\0/../bob`,
      `${folder}/${'a'.repeat(300)}`,
      'alice',
      '',
    ])
      await assert.rejects(worker.tryLock(path), refused, JSON.stringify(path));
    assert.equal(await worker.tryLock(`${folder}/nobody`), 'missing');
    assert.equal(await worker.tryLock(`${folder}/${'a'.repeat(250)}`), 'missing');
    await assert.rejects(worker.client.tryLock('another', join(folder, 'alice')), refused);
    assert.deepEqual(await spool.locks(), []);
  });

  test('locks nothing by a link, a name of a foreign file, a folder or a pipe in the place of its mailbox', async () => {
    const path = spool.site.mboxOf(alice);
    const bobs = await spool.deliver(bob);
    const worker = spool.worker(alice.uid);
    await worker.met;
    const make: readonly (() => Promise<unknown>)[] = [
      () => symlink(bobs, path),
      () => symlink('/etc/passwd', path),
      () => mkdir(path).then(() => chown(path, alice.uid, alice.gid)),
      () => run('mkfifo', [path], { home: '/' }).then(() => chown(path, alice.uid, alice.gid)),
      async () => {
        await spool.deliver(alice);
        await link(path, join(spool.site.folder, 'another-name'));
      },
    ];
    for (const makeIt of make) {
      await makeIt();
      await assert.rejects(worker.tryLock(path), refused);
      await rm(path, { recursive: true });
    }
    assert.deepEqual(await spool.locks(), []);
  });

  test('locks nothing in a folder where it could put something else in the place of a mailbox', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    await chown(spool.site.spool, alice.uid, mailGid);
    assert.equal(await worker.tryLock(path), 'forbidden');
    assert.deepEqual(await spool.locks(), []);
  });

  test('follows no link that has the name of the lock, and leaves alone what it leads to', async () => {
    const path = await spool.deliver(alice);
    const victim = await spool.deliver(bob, 'precious');
    await symlink(victim, `${path}.lock`);
    const worker = spool.worker(alice.uid);
    await worker.met;
    assert.equal(await worker.tryLock(path), 'busy');
    assert.equal(await readFile(victim, 'latin1'), 'precious');
  });

  test('that talks nonsense is not listened to, and others do not notice', async () => {
    const path = await spool.deliver(alice);
    const other = spool.worker(alice.uid);
    await other.met;
    for (const frame of [
      encodeFrame({ ask: 'begin' }),
      encodeFrame({ ask: 'try', request: -1, kind: 'dotlock', path }),
      encodeFrame({ ask: 'resume', request: 1, kind: 'dotlock', path }),
      // Its second lock would have the name of the first, which then nobody could let go.
      Buffer.concat([1, 1].map((request) => encodeFrame({ ask: 'try', request, kind: 'dotlock', path }))),
      encodeFrame({ ask: 'try', request: 1, kind: 'dotlock', path: 'a'.repeat(5000) }),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]) {
      const worker = spool.worker(alice.uid);
      await worker.met;
      worker.stream?.write(frame);
      if (frame.includes('begin'))
        worker.stream?.write(encodeFrame({ ask: 'resume', request: 1, kind: 'x', path }));
      await until(() => worker.stream?.destroyed === true, `an end for ${String(frame)}`);
    }
    await untilHad(other, path);
  });
});

describe('the lock of a worker that has died', { skip }, () => {
  beforeEach(setUp);
  afterEach(tearDown);

  test('goes', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    held(await worker.tryLock(path));
    worker.die();
    await spool.hasLocks();
  });

  test('is taken over first by the process that redoes what it has left, and never free in between', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    held(await worker.tryLock(path));
    const content = await readFile(`${path}.lock`, 'latin1');
    const next = spool.worker(alice.uid);
    await next.met;
    assert.equal(await next.tryLock(path), 'busy');
    worker.die();
    await until(async () => typeof (await tried(next, path)) !== 'string', 'the lock');
    assert.equal(await readFile(`${path}.lock`, 'latin1'), content);
  });

  test('is not taken over by another user', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    held(await worker.tryLock(path));
    worker.die();
    await chown(path, bob.uid, mailGid);
    const next = spool.worker(bob.uid);
    await next.met;
    assert.equal(await next.tryLock(path), 'busy');
  });
});

const tried = async (worker: ReturnType<LockedSpool['worker']>, path: string): Promise<SpoolLockAttempt> =>
  worker.tryLock(path);

const four = (id: number): string => Array.from({ length: 4 }, () => id).join('\t');

describe('the locker', { skip }, () => {
  beforeEach(setUp);
  afterEach(tearDown);

  test('has a user of its own, group mail, no other group, and no capability', () => {
    const status = readFileSync(`/proc/${spool.locker.process.pid}/status`, 'latin1');
    assert.match(status, new RegExp(`^Uid:\t${four(popper.uid)}$`, 'm'));
    assert.match(status, new RegExp(`^Gid:\t${four(mailGid)}$`, 'm'));
    assert.match(status, /^Groups:\s*$/m);
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      assert.match(status, new RegExp(`^${name}:\t0+$`, 'm'));
  });

  test('cannot be looked into by a front, which is the same user, nor can what it remembers', () => {
    const front = { uid: popper.uid, gid: 2900 };
    const memory = `/proc/${spool.locker.process.pid}/mem`;
    for (const path of [memory, join(spool.site.stateDir, 'locker')])
      assert.throws(() => actingAs(front, () => openSync(path, 'r')), { code: 'EACCES' }, path);
    closeSync(actingAs(popper, () => openSync(memory, 'r')));
  });

  test('does not start as root', async () => {
    const child = new Child('locker', spool.site);
    await child.exited;
    assert.match(child.stderr, /the locker may not run with the rights of root/);
  });

  test('that dies leaves locks where they are, and the next one goes on with those that are needed', async () => {
    const path = await spool.deliver(alice);
    const [worker, other] = [spool.worker(alice.uid), spool.worker(bob.uid)];
    await Promise.all([worker.met, other.met]);
    const lock = held(await worker.tryLock(path));
    held(await other.tryLock(await spool.deliver(bob)));
    const { ino } = await lstat(`${path}.lock`);
    await spool.killLocker();
    assert.deepEqual(await spool.locks(), ['alice.lock', 'bob.lock']);
    assert.equal(await worker.tryLock(path), 'busy');
    other.die();
    await spool.hasLocks('alice.lock');
    assert.equal((await lstat(`${path}.lock`)).ino, ino);
    assert.match(await readFile(`${path}.lock`, 'latin1'), new RegExp(`^${spool.locker.process.pid} `));
    await lock.refresh();
    assert.equal(await lock.release(), 'released');
    assert.deepEqual(await spool.locks(), []);
    assert.ok(spool.logged.some(({ message }) => message === 'the locker died, and another is started'));
  });

  test('that dies has locks taken away by the next which were let go meanwhile', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    const lock = held(await worker.tryLock(path));
    await spool.killLocker();
    await assert.rejects(lock.refresh(), /the locker has just died/);
    await assert.rejects(lock.release(), /the next one takes away/);
    assert.deepEqual(await spool.locks(), ['alice.lock']);
    await spool.hasLocks();
  });

  test('that comes after one that died takes nothing away before every worker has spoken', async () => {
    const worker = spool.worker(alice.uid);
    const [other, third] = [spool.worker(bob.uid), spool.worker(system.uid)];
    await Promise.all([worker.met, other.met, third.met]);
    const lock = held(await worker.tryLock(await spool.deliver(alice)));
    held(await other.tryLock(await spool.deliver(bob)));
    const path = await spool.deliver(system);
    worker.hangs = true;
    await spool.killLocker();
    other.die();
    await untilHad(third, path);
    await delay(200);
    assert.deepEqual(await spool.locks(), ['alice.lock', 'bob.lock']);
    worker.greet();
    await spool.hasLocks('alice.lock');
    assert.equal(await lock.release(), 'released');
  });

  test('that comes after one that died tells a worker whose lock another program has broken', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    const lock = held(await worker.tryLock(path));
    await spool.killLocker();
    await writeFile(join(spool.site.folder, 'new'), 'another program');
    await rename(join(spool.site.folder, 'new'), `${path}.lock`);
    await until(
      async () =>
        await lock.refresh().then(
          () => true,
          () => false,
        ),
      'a locker',
    );
    assert.equal(await lock.release(), 'taken');
    assert.equal(await readFile(`${path}.lock`, 'latin1'), 'another program');
  });

  test('of a start takes away what one of an earlier daemon left, and nothing of others', async () => {
    const path = await spool.deliver(alice);
    const worker = spool.worker(alice.uid);
    await worker.met;
    held(await worker.tryLock(path));
    await writeFile(`${spool.site.mboxOf(bob)}.lock`, 'another program');
    worker.die();
    await spool.killLocker();
    await spool.hasLocks('bob.lock');
  });
});
