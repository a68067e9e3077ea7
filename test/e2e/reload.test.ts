import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';

import type { Daemon, LoggedRecord } from './support/daemon.ts';
import {
  childrenOf,
  footprintOf,
  greet,
  greetAll,
  makeSiteOfFronts,
  noMoreThan,
  pluginsWith,
  until,
} from './support/fronts.ts';
import { plainMail, putMail } from './support/mail.ts';
import { ConnectionLost, Pop3Client } from './support/pop3-client.ts';
import { logIn, type Site, type SiteOptions } from './support/site.ts';
import { SteadyClient } from './support/steady-client.ts';

test('after a reload new clients meet the new configuration, and those who were there go on', async (t) => {
  const { site, daemon } = await served(t);
  const old = await logIn(daemon.where);
  await old.ask('DELE 1');
  await change(site, { plugins: pluginsWith({ text: 'renewed' }) });
  await reload(daemon, 2);
  assert.equal((await greet(daemon.where)).text, 'renewed');
  await old.ask('NOOP');
  await old.quit();
  assert.equal(await (await logIn(daemon.where)).ask('STAT'), statWithout(1));
});

test('fronts of before a reload end with their last session', async (t) => {
  const { daemon } = await served(t);
  const old = await greetAll(daemon.where);
  await reload(daemon, 2);
  assert.equal((await childrenOf(daemon)).length, 4);
  for (const { client } of old) {
    await client.quit();
  }
  await until(async () => (await childrenOf(daemon)).length === 2);
});

test('sessions of before a reload end when their time is over', async (t) => {
  const { site, daemon } = await served(t, { config: { retireTimeoutMs: 500 } });
  const old = await logIn(daemon.where);
  await reload(daemon, 2);
  assert.match((await old.rest()).toString(), /^-ERR \[SYS\/TEMP\]/);
  assert.equal((await readFile(site.mboxOf('alice'))).length > 0, true);
});

test('sessions of long ago end before there are too many generations', async (t) => {
  const { daemon } = await served(t);
  const sessions: Pop3Client[] = [];
  for (let generation = 2; generation <= 7; generation += 1) {
    sessions.push((await greet(daemon.where)).client);
    await reload(daemon, generation);
  }
  const [first, second, ...others] = sessions;
  for (const client of [first, second]) {
    assert.match((await client?.rest())?.toString() ?? '', /^-ERR \[SYS\/TEMP\]/);
  }
  for (const client of others) assert.match(await client.say('NOOP'), /^-ERR/);
});

test('a reload opens ports that are new and closes those that are gone', async (t) => {
  const { site, daemon } = await served(t);
  const { port } = daemon.where;
  const added = { host: '127.0.0.2', port: 0 };
  await change(site, { listen: [{ host: '127.0.0.1', port: 0 }, added] });
  const both = await reload(daemon, 2);
  const [kept, fresh] = addressesIn(both);
  assert.equal(kept?.port, port);
  assert.ok(fresh !== undefined);
  await greetAll(fresh);
  await change(site, { listen: [added] });
  assert.deepEqual(addressesIn(await reload(daemon, 3)), [fresh]);
  await greetAll(fresh);
  await assert.rejects(Pop3Client.connect(daemon.where), ConnectionLost);
});

const mistakes: readonly { what: string; config: Record<string, unknown>; reason: RegExp }[] = [
  { what: 'is misspelt', config: { frots: 2 }, reason: /popper\.config\.json: .*frots/ },
  { what: 'names a plugin that is not there', config: { plugins: ['no-such'] }, reason: /no-such/ },
  {
    what: 'has a plugin that cannot start',
    config: { plugins: pluginsWith({ broken: 'no database' }) },
    reason: /no database/,
  },
  {
    what: 'has a plugin that leaks a rejection as it starts',
    config: { plugins: pluginsWith({ atStart: 'X-LEAK' }) },
    reason: /met an error as it started/,
  },
  {
    what: 'names an address of another machine',
    config: { listen: [{ host: '192.0.2.1', port: 110 }] },
    reason: /cannot listen on 192\.0\.2\.1:110/,
  },
];

for (const { what, config, reason } of mistakes) {
  test(`a configuration that ${what} changes nothing, and the log has the reason`, async (t) => {
    const { site, daemon } = await served(t);
    const children = await childrenOf(daemon);
    const session = await logIn(daemon.where);
    const before = await readFile(site.configFile);
    await change(site, config);
    daemon.signal('SIGHUP');
    const record = await daemon.logged(({ msg }) => msg.startsWith('the reload failed'));
    assert.match(JSON.stringify(record), reason);
    assert.ok(!daemon.records.some(({ msg }) => msg === 'a front died' || msg === 'starting another front'));
    await session.quit();
    await greetAll(daemon.where);
    await until(async () => (await childrenOf(daemon)).length === 2);
    assert.deepEqual(await childrenOf(daemon), children);
    await writeFile(site.configFile, before);
    await reload(daemon, await generationAfterFailure(daemon));
  });
}

test('a port that somebody else has keeps the reload from happening, and is not taken from him', async (t) => {
  const { site, daemon } = await served(t);
  const squatter = createServer().listen(0, '127.0.0.1');
  t.after(() => squatter.close());
  await once(squatter, 'listening');
  const address = squatter.address();
  assert.ok(typeof address === 'object' && address !== null);
  await change(site, { listen: [{ host: '127.0.0.1', port: address.port }] });
  daemon.signal('SIGHUP');
  const record = await daemon.logged(({ msg }) => msg.startsWith('the reload failed'));
  assert.match(JSON.stringify(record), /another program has it/);
  await greetAll(daemon.where);
});

test('a stop in the middle of a reload ends all generations', async (t) => {
  const { daemon } = await served(t);
  daemon.signal('SIGHUP');
  await daemon.logged(({ msg }) => msg === 'reloading');
  await until(async () => (await childrenOf(daemon)).length > 2);
  const children = await childrenOf(daemon);
  assert.equal(await daemon.stop(), 0);
  await until(() => children.every((pid) => !isThere(pid)));
});

// 1000 take an hour on two processors: POPPER_TEST_RELOADS=1000 npm test -- --test-timeout=7200000 test/e2e/reload.test.ts
const reloads = Number(process.env['POPPER_TEST_RELOADS'] ?? 20);

test(`${reloads} reloads under load cost no session, and leave nothing behind`, async (t) => {
  const users = ['alice', 'bob', 'carol'];
  const { site, daemon } = await served(t, { users });
  for (const user of users) await putMail(site.mboxOf(user), plainMail);
  const clients = users.map((user) => new SteadyClient(daemon.where, user));
  for (const client of clients) client.start();
  await reload(daemon, 2);
  const before = await footprintOf(daemon, 2);
  for (let generation = 3; generation <= reloads + 1; generation += 1) await reload(daemon, generation);
  for (const client of clients) await client.stop();
  const grownOctets = noMoreThan(before, await footprintOf(daemon, 2));
  t.diagnostic(
    `${clients.reduce((sum, { sessionCount }) => sum + sessionCount, 0)} sessions, ${grownOctets} octets more`,
  );
});

async function served(t: TestContext, options?: SiteOptions) {
  const site = await makeSiteOfFronts(t, options);
  return { site, daemon: await site.start() };
}

/** Changes the configuration on disk; nobody is told. */
async function change({ configFile }: Site, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const config: unknown = JSON.parse(await readFile(configFile, 'utf8'));
  assert.ok(typeof config === 'object');
  await writeFile(configFile, JSON.stringify({ ...config, ...changes }));
}

/** Reloads, and waits until that generation serves alone. */
async function reload(daemon: Daemon, generation: number): Promise<LoggedRecord> {
  daemon.signal('SIGHUP');
  return daemon.logged((record) => record.msg === 'listening' && record['generation'] === generation);
}

/** A generation that could not start has its number for itself; one that was not even begun has none. */
const generationAfterFailure = async ({ said }: Daemon): Promise<number> =>
  /no database|met an error/.test(said) ? 3 : 2;

function addressesIn(record: LoggedRecord) {
  const { addresses } = record;
  assert.ok(Array.isArray(addresses));
  return addresses.map((address: unknown) => {
    const [host = '', port] = String(address).split(':');
    return { host, port: Number(port) };
  });
}

const octetsOnWire = (octets: Buffer): number =>
  Buffer.byteLength(octets.toString('latin1').replaceAll(/(?<!\r)\n/g, '\r\n'), 'latin1');

/** STAT when so many of the first messages are gone. */
function statWithout(count: number): string {
  const left = plainMail.slice(count);
  return `+OK ${left.length} ${left.reduce((sum, { octets }) => sum + octetsOnWire(octets), 0)}`;
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
