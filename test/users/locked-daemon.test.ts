import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chown, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { Daemon } from '../e2e/support/daemon.ts';
import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { needs, run } from '../e2e/support/program.ts';
import { LockedSpool, mailGid, until } from './support/locked-spool.ts';
import { alice, users } from './support/site.ts';

const skip = process.getuid?.() === 0 ? needs('procmail').skip : 'only root can serve users as themselves';
/** An account that all systems have. */
const nobody = 65_534;
const letter = 'From carol@example.org Mon Nov  2 10:00:00 2026\nFrom: carol@example.org\n\nHello.\n\n';

describe("a daemon with isolation: 'user' over a spool where only group mail may write", { skip }, () => {
  let spool: LockedSpool;
  let daemon: Daemon | undefined;

  beforeEach(async () => {
    spool = await LockedSpool.make({ hasLocker: false });
    await spool.deliver(alice, letter + letter);
  });
  afterEach(async () => {
    await daemon?.stop();
    daemon = undefined;
    await spool.dispose();
  });

  const configure = async (store: object = {}): Promise<string> => {
    const { folder, stateDir, spool: mail } = spool.site;
    const accounts = users.map(
      ({ name, uid, gid, password }) => `${name}:{PLAIN}${password}:${uid}:${gid}::/\n`,
    );
    await writeFile(join(folder, 'passwd'), accounts.join(''), { mode: 0o600 });
    const plugins = [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: `${mail}/{user}`, ...store }],
    ];
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const config = { listen, stateDir, isolation: 'user', user: 'nobody', fronts: 1, plugins };
    await writeFile(join(folder, 'popper.config.json'), JSON.stringify(config), { mode: 0o644 });
    return join(folder, 'popper.config.json');
  };

  const start = async (store?: object): Promise<Daemon> => {
    daemon = await Daemon.start(await configure(store));
    return daemon;
  };

  test('has a locker, and deletes while no other program has the dotlock', async () => {
    const { pid, where } = await start();
    const [locker] = await lockersOf(pid);
    // It opens no debugger for that, and does not end.
    process.kill(Number(locker), 'SIGUSR1');
    const status = await readFile(`/proc/${locker}/status`, 'latin1');
    assert.match(
      status,
      new RegExp(`^Uid:\t${nobody}\t${nobody}\t${nobody}\t${nobody}\nGid:\t${mailGid}\t`, 'm'),
    );
    const lockPath = `${spool.site.mboxOf(alice)}.lock`;
    await run('lockfile', [lockPath], { home: '/' });
    const client = await Pop3Client.loggedIn(where, alice.name, alice.password);
    await client.ask('DELE 1');
    const quit = client.ask('QUIT');
    assert.equal(await Promise.race([quit, until(() => false, '', 30).catch(() => 'waits')]), 'waits');
    assert.equal(await spool.site.mailOf(alice), letter + letter);
    await run('rm', ['-f', lockPath], { home: '/' });
    await quit;
    assert.equal(await spool.site.mailOf(alice), letter);
    assert.deepEqual(await spool.locks(), []);
    assert.deepEqual(await lockersOf(pid), [locker]);
    assert.doesNotMatch(daemon?.said ?? '', /[Dd]ebugger/);
  });

  test('starts another locker where one dies, and a new one with each reload', async () => {
    const running = await start();
    const [first] = await lockersOf(running.pid);
    process.kill(Number(first), 'SIGKILL');
    await running.logged(({ msg }) => msg === 'the locker died, and another is started');
    await deleteOne(running);
    const [second] = await lockersOf(running.pid);
    assert.notEqual(second, first);
    running.signal('SIGHUP');
    await running.logged((record) => record.msg === 'listening' && record['generation'] === 2);
    await until(async () => !(await lockersOf(running.pid)).includes(second ?? ''), 'the old one ends');
    await deleteOne(running);
    assert.deepEqual([await spool.site.mailOf(alice), await spool.locks()], ['', []]);
  });

  test('takes away at its start what the locker of one that was killed has left', async () => {
    const path = spool.site.mboxOf(alice);
    const notes = join(spool.site.stateDir, 'locker', String(nobody), 'journals');
    await start();
    await daemon?.stop();
    await mkdir(notes, { recursive: true });
    const digest = createHash('sha256').update(path).digest('hex');
    await writeFile(join(notes, 'dead.locking'), `${digest} ${path}\0`);
    await writeFile(`${path}.lock`, `4194304 ${hostname()} ${'0'.repeat(32)}\n`);
    for (const left of [notes, join(notes, 'dead.locking'), `${path}.lock`])
      await chown(left, nobody, mailGid);
    await start();
    await spool.hasLocks();
    assert.deepEqual(await readdir(notes), []);
  });

  test('has no locker where the store wants no dotlocks', async () => {
    const running = await start({ lockMethods: ['fcntl'] });
    await until(async () => (await lockersOf(running.pid)).length === 0, 'no locker');
    await deleteOne(running);
    assert.equal(await spool.site.mailOf(alice), letter);
  });
});

async function deleteOne({ where }: Daemon): Promise<void> {
  const client = await Pop3Client.loggedIn(where, alice.name, alice.password);
  await client.ask('DELE 1');
  await client.quit();
}

/** Process ids of the lockers among the children of a master. */
async function lockersOf(master: number): Promise<readonly string[]> {
  const children = await readFile(`/proc/${master}/task/${master}/children`, 'latin1');
  const titles = children
    .trim()
    .split(' ')
    .map(async (pid) => ({ pid, title: await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '') }));
  return (await Promise.all(titles)).filter(({ title }) => /locker/.test(title)).map(({ pid }) => pid);
}
