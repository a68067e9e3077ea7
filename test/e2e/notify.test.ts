import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { DatagramReader } from '../../core/server/testing/datagram-reader.ts';
import type { Daemon } from './support/daemon.ts';
import { childrenOf, greet, greetAll, makeSiteOfFronts, pluginsWith, until } from './support/fronts.ts';
import { needs } from './support/program.ts';
import { logIn, makeSite, type Site } from './support/site.ts';

/** As systemd starts it: `usec` is the watchdog's patience. */
const launchedFor = (address: string, usec?: number): readonly string[] => [
  'env',
  `NOTIFY_SOCKET=${address}`,
  ...(usec === undefined ? [] : [`WATCHDOG_USEC=${usec}`]),
];

interface Managed {
  readonly site: Site;
  readonly daemon: Daemon;
  readonly manager: DatagramReader;
}

interface Circumstances {
  readonly isAbstract?: boolean;
  readonly watchdogUs?: number;
}

async function managed(
  t: TestContext,
  site: Site,
  { isAbstract = false, watchdogUs }: Circumstances = {},
): Promise<Managed> {
  const address = isAbstract ? `@popper-notify-${process.pid}` : join(site.folder, 'notify');
  const manager = await DatagramReader.open(address);
  t.after(() => manager.close());
  return { site, manager, daemon: await site.start(0, launchedFor(address, watchdogUs)) };
}

/** The messages that say what has become of it, without those that say that it lives and how it is. */
const turns = (manager: DatagramReader): readonly string[] =>
  manager.read
    .map(({ lines }) => lines.map((line) => line.replace(/(?<=USEC=)\d+$/, 'n')).join(' '))
    .filter((message) => !/^(?:STATUS|WATCHDOG)=/.test(message));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const options = needs('python3');

for (const isAbstract of [false, true]) {
  test(
    `a master tells of its life at ${isAbstract ? 'an abstract name' : 'a path'}: ready, reloads good and bad, the end`,
    options,
    async (t) => {
      const site = await makeSiteOfFronts(t);
      const { daemon, manager } = await managed(t, site, { isAbstract });
      await manager.with('READY=1');
      await greetAll(daemon.where);
      const good = await readFile(site.configFile, 'utf8');
      const reloaded = async (): Promise<void> => {
        const before = manager.read.length;
        daemon.signal('SIGHUP');
        const { lines, us } = await manager.with('RELOADING=1', before);
        const saidUs = Number(/^MONOTONIC_USEC=(\d+)$/.exec(lines[1] ?? '')?.[1]);
        assert.ok(us - saidUs >= 0 && us - saidUs < 10_000_000, `${saidUs}, and it was ${us}`);
        await manager.with('READY=1', before);
      };
      await reloaded();
      await writeFile(site.configFile, good.replace('"listen"', '"lisden"'));
      await reloaded();
      await manager.with(/^STATUS=serving: \d+ sessions?; the last reload failed: .*lisden/);
      await writeFile(site.configFile, good);
      await reloaded();
      const failedAt = manager.read.findIndex(({ lines }) => /failed/.test(lines[0] ?? ''));
      await manager.with('STATUS=serving: 2 sessions', failedAt);
      assert.equal(await daemon.stop(), 0);
      await manager.with('STOPPING=1');
      const reload = ['RELOADING=1 MONOTONIC_USEC=n', 'READY=1'];
      const stop = 'STOPPING=1 EXTEND_TIMEOUT_USEC=n';
      assert.deepEqual(turns(manager), ['READY=1', ...reload, ...reload, ...reload, stop]);
      assert.deepEqual(
        new Set(manager.read.map(({ pid }) => pid)),
        new Set([daemon.pid]),
        'only the master speaks',
      );
    },
  );
}

test(
  'one process tells the same, but that it cannot reload, and a SIGHUP does not end it',
  options,
  async (t) => {
    const site = await makeSite(t);
    const { daemon, manager } = await managed(t, site);
    await manager.with('READY=1');
    const session = await logIn(daemon.where);
    daemon.signal('SIGHUP');
    await manager.with(/^STATUS=serving: 1 session; the last reload failed: .*cannot reload$/);
    await session.ask('STAT');
    await session.quit();
    assert.equal(await daemon.stop(), 0);
    await manager.with('STOPPING=1');
    assert.deepEqual(turns(manager), [
      'READY=1',
      'RELOADING=1 MONOTONIC_USEC=n',
      'READY=1',
      'STOPPING=1 EXTEND_TIMEOUT_USEC=n',
    ]);
  },
);

test(
  'the manager is asked to wait for as long as a stop may take by the configuration',
  options,
  async (t) => {
    const site = await makeSite(t, { config: { stopTimeoutMs: 3_600_000, hookDeadlineMs: 30_000 } });
    const { daemon, manager } = await managed(t, site);
    await daemon.stop();
    const { lines } = await manager.with('STOPPING=1');
    assert.equal(lines[1], `EXTEND_TIMEOUT_USEC=${(3_600_000 + 30_000 + 10_000) * 1000}`);
  },
);

test('READY=1 comes when clients can, and not before', options, async (t) => {
  const site = await makeSiteOfFronts(t);
  const where = { host: '127.0.0.1', port: await freePort() };
  const address = join(site.folder, 'notify');
  const manager = await DatagramReader.open(address);
  t.after(() => manager.close());
  const starting = site.start(where.port, launchedFor(address));
  await manager.with('READY=1');
  await greet(where);
  await starting;
});

test('a daemon that cannot start is never ready, and says why', options, async (t) => {
  const site = await makeSiteOfFronts(t, { config: { plugins: pluginsWith({ broken: 'no database' }) } });
  const address = join(site.folder, 'notify');
  const manager = await DatagramReader.open(address);
  t.after(() => manager.close());
  await assert.rejects(site.start(0, launchedFor(address)), /no database/);
  await manager.with(/^STATUS=cannot start: .*no database/);
  assert.equal(manager.read.length, 1);
});

test(
  'the watchdog hears from a master with fronts that are well, and again when dead ones were replaced',
  options,
  async (t) => {
    const site = await makeSiteOfFronts(t);
    const { daemon, manager } = await managed(t, site, { watchdogUs: 200_000 });
    await manager.with('WATCHDOG=1');
    for (const pid of await childrenOf(daemon)) process.kill(pid, 'SIGKILL');
    await until(
      async () => daemon.records.filter(({ msg }) => msg === 'starting another front').length === 2,
    );
    const before = manager.read.length;
    await manager.with('WATCHDOG=1', before);
    await greet(daemon.where);
    await daemon.stop();
  },
);

test('the watchdog hears nothing from a master whose fronts never come up again', options, async (t) => {
  const site = await makeSiteOfFronts(t);
  const { daemon, manager } = await managed(t, site, { watchdogUs: 200_000 });
  const config: Record<string, unknown> = JSON.parse(await readFile(site.configFile, 'utf8'));
  await writeFile(
    site.configFile,
    JSON.stringify({ ...config, plugins: pluginsWith({ broken: 'no database' }) }),
  );
  for (const pid of await childrenOf(daemon)) process.kill(pid, 'SIGKILL');
  await until(async () => daemon.records.filter(({ msg }) => msg === 'starting another front').length === 2);
  await delay(300);
  const before = manager.read.length;
  await delay(1000);
  assert.deepEqual(
    manager.read.slice(before).filter(({ lines }) => lines[0] === 'WATCHDOG=1'),
    [],
  );
});

test('the watchdog hears nothing from one process whose loop does not turn', options, async (t) => {
  const site = await makeSite(t, { config: { plugins: pluginsWith({}) } });
  const { daemon, manager } = await managed(t, site, { watchdogUs: 200_000 });
  await manager.with('WATCHDOG=1');
  const { client } = await greet(daemon.where);
  client.send('X-BLOCK\r\n');
  await delay(300);
  const before = manager.read.length;
  await delay(1000);
  assert.equal(manager.read.length, before);
});

test('no child of a daemon knows of the manager', options, async (t) => {
  const site = await makeSiteOfFronts(t);
  const { daemon } = await managed(t, site, { watchdogUs: 10_000_000 });
  const children = await childrenOf(daemon);
  assert.equal(children.length, 2);
  for (const pid of children) {
    assert.doesNotMatch(await readFile(`/proc/${pid}/environ`, 'latin1'), /NOTIFY_SOCKET|WATCHDOG/);
  }
});

test('a manager that has gone away costs a line in the log, and no client', options, async (t) => {
  const site = await makeSite(t);
  const { daemon, manager } = await managed(t, site, { watchdogUs: 200_000 });
  await manager.with('READY=1');
  await manager.close();
  await daemon.logged(({ msg }) => msg === 'the service manager cannot be told');
  const session = await logIn(daemon.where);
  await session.quit();
  assert.equal(await daemon.stop(), 0);
  assert.equal(daemon.records.filter(({ msg }) => msg === 'the service manager cannot be told').length, 1);
});

test('a daemon without a manager is stopped by SIGHUP as ever', async (t) => {
  const daemon = await (await makeSite(t)).start();
  assert.equal(await daemon.end('SIGHUP'), 0);
});
