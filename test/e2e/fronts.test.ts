import assert from 'node:assert/strict';
import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { LoggedRecord } from './support/daemon.ts';
import {
  childrenOf,
  greet,
  greetAll,
  type Greeted,
  makeSiteOfFronts,
  pluginsWith,
  titleOf,
  until,
} from './support/fronts.ts';
import { largeMessage, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { password, type SiteOptions } from './support/site.ts';

test('a front that is killed takes only its own sessions, and another takes its place', async (t) => {
  const { daemon, one, other } = await served(t);
  process.kill(one.pid, 'SIGKILL');
  assert.equal(await one.client.line(), undefined);
  await logIn(other.client);
  await daemon.logged(({ msg, child }) => msg === 'a front died' && child === one.pid);
  const [first, second] = await greetAll(daemon.where);
  assert.ok(![first?.pid, second?.pid].includes(one.pid));
  assert.equal(await other.client.ask('STAT'), await other.client.ask('STAT'));
});

test('a client who comes while every front is dead waits, and is served by the next', async (t) => {
  const { daemon, one, other } = await served(t);
  for (const { pid } of [one, other]) process.kill(pid, 'SIGKILL');
  await Promise.all([one, other].map(({ client }) => client.rest()));
  const late = await greet(daemon.where);
  assert.ok(![one.pid, other.pid].includes(late.pid));
  await logIn(late.client);
});

test('a front that blocks is ended, and the log says so, and which line of whose code it was at', async (t) => {
  const { daemon, one, other } = await served(t, { config: { blockedTimeoutMs: 5000 } });
  one.client.send('X-BLOCK\r\n');
  const where = await daemon.logged(({ msg }) => msg === 'something blocks all sessions');
  assert.match(String(where['at']), /^block \(\/.*\/saboteur\.ts:\d+\) < /);
  const record = await daemon.logged(({ msg }) => msg === 'a front blocks, so it is ended');
  assert.equal(record['child'], one.pid);
  assert.equal(await one.client.line(), undefined);
  await logIn(other.client);
  await greetAll(daemon.where);
});

test('what holds up all sessions for a moment is told with its length', async (t) => {
  const { daemon, one } = await served(t);
  await one.client.ask('X-PAUSE');
  const record = await daemon.logged(({ msg }) => msg === 'something held up all sessions');
  assert.ok(Number(record['heldUpMs']) > 200);
});

test('a plugin that ends the process costs one front, and the log has the line of its code', async (t) => {
  const { daemon, one, other } = await served(t);
  one.client.send('X-EXIT\r\n');
  assert.equal(await one.client.line(), undefined);
  const record = await daemon.logged(({ msg }) => msg === 'something ended the process');
  assert.match(JSON.stringify(record), /saboteur\.ts/);
  await logIn(other.client);
  await greetAll(daemon.where);
});

test('an error that nobody caught lets the sessions of its front finish, and another front comes at once', async (t) => {
  const { daemon, one, other } = await served(t);
  await logIn(one.client);
  one.client.send('X-LEAK\r\n');
  const record = await daemon.logged(({ msg }) => msg === 'an error that nobody caught: stopping');
  assert.match(JSON.stringify(record), /a leak[^]*saboteur\.ts/);
  assert.match((await one.client.rest()).toString(), /^\+OK[^]*-ERR \[SYS\/TEMP\]/);
  await logIn(other.client);
  await greetAll(daemon.where);
});

test('two fronts never have one maildrop open', async (t) => {
  const { one, other } = await served(t);
  await logIn(one.client);
  await other.client.ask('USER alice');
  assert.match(await other.client.say(`PASS ${password}`), /^-ERR \[IN-USE\]/);
});

test('the limit on connections is one for all fronts', async (t) => {
  const [first = '', second = '', ...others] = Array.from({ length: 10 }, (_, index) => `user${index}`);
  const users = [first, second, ...others];
  const { one, other, daemon } = await served(t, {
    users,
    config: { limits: { connections: users.length } },
  });
  await logIn(one.client, first);
  await logIn(other.client, second);
  for (const user of others) await Pop3Client.loggedIn(daemon.where, user, password);
  // Fronts hear of one another's sessions each second.
  await until(async () => {
    const late = await Pop3Client.connect(daemon.where);
    const greeting = await late.line();
    late.destroy();
    return greeting?.startsWith('-ERR') === true;
  });
});

test('what dead processes left is looked for once at a start, and again after a death', async (t) => {
  const { daemon, one } = await served(t);
  const recoveries = (): number => daemon.records.filter(({ msg }) => msg === 'recovering').length;
  assert.equal(recoveries(), 1);
  assert.equal(daemon.records.filter(({ msg }) => msg === 'announced').length, 1);
  process.kill(one.pid, 'SIGKILL');
  await until(() => recoveries() === 2);
});

test('a front that cannot be replaced, for its plugin lacks something, comes when that is there', async (t) => {
  const { site, daemon, one, other } = await served(t, {
    config: { plugins: pluginsWith({ needs: 'needed' }) },
  });
  await rm(join(site.folder, 'needed'));
  process.kill(one.pid, 'SIGKILL');
  await until(() => daemon.records.filter(diedOfWhatItLacks).length > 1);
  assert.equal((await greet(daemon.where)).pid, other.pid);
  await writeFile(join(site.folder, 'needed'), '');
  await greetAll(daemon.where);
});

test('a second signal does not wait for the sessions of any front', async (t) => {
  const { site, daemon, one } = await served(t);
  await putMail(site.mboxOf('alice'), [largeMessage]);
  await logIn(one.client);
  one.client.send('RETR 1\r\n');
  await one.client.line();
  const stopped = daemon.stop();
  await daemon.logged(({ msg }) => msg === 'stopping');
  assert.equal(await daemon.stop(), await stopped);
  await gone(one);
});

test('a stop tells the sessions of all fronts, and leaves no process behind', async (t) => {
  const { daemon, one, other } = await served(t);
  await logIn(one.client);
  const stopped = daemon.stop();
  for (const { client } of [one, other])
    assert.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\]/);
  assert.equal(await stopped, 0);
  await Promise.all([one, other].map(gone));
});

test('a stop by a service manager, which signals every process, is one stop', async (t) => {
  const { daemon, one, other } = await served(t);
  for (const { pid } of [one, other]) process.kill(pid, 'SIGTERM');
  const stopped = daemon.stop();
  for (const { client } of [one, other])
    assert.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\]/);
  assert.equal(await stopped, 0);
});

test('fronts whose master was killed end by themselves', async (t) => {
  const { daemon, one, other } = await served(t);
  await daemon.kill();
  for (const { client } of [one, other])
    assert.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\]/);
  await Promise.all([one, other].map(gone));
});

test('a signal opens no debugger in a front', async (t) => {
  const { daemon, one } = await served(t);
  process.kill(one.pid, 'SIGUSR1');
  // A debugger would have been announced meanwhile.
  await one.client.ask('X-PAUSE');
  assert.doesNotMatch(daemon.said, /Debugger listening/);
});

test('ps tells the master from its fronts, and how many sessions each has', async (t) => {
  const { daemon, one } = await served(t);
  assert.equal(await titleOf(daemon.pid), 'popper: master');
  await until(async () => /^popper: front [12] \(1 session\)$/.test(await titleOf(one.pid)));
});

test('a configuration that cannot be served is told before anybody is let in', async (t) => {
  const site = await makeSiteOfFronts(t, { config: { listen: [{ host: '192.0.2.1', port: 1 }] } });
  await assert.rejects(
    site.start(),
    /popper: cannot start: cannot listen on 192\.0\.2\.1:1: this machine has no such/,
  );
});

test('a unix socket is shared like a port, and gone after a stop', async (t) => {
  const config = { listen: [{ host: '127.0.0.1', port: 0 }, { path: 'pop.sock' }] };
  const site = await makeSiteOfFronts(t, { config });
  const daemon = await site.start();
  const path = join(site.folder, 'pop.sock');
  const fronts = await greetAll({ path });
  assert.deepEqual(new Set(fronts.map(({ pid }) => pid)), new Set(await childrenOf(daemon)));
  await daemon.stop();
  await assert.rejects(access(path));
});

const diedOfWhatItLacks = ({ msg, reason }: LoggedRecord): boolean =>
  msg === 'a front died' && /needed/.test(String(reason));

/** A daemon with two fronts, and a client of each. */
async function served(t: TestContext, options?: SiteOptions) {
  const site = await makeSiteOfFronts(t, options);
  await writeFile(join(site.folder, 'needed'), '');
  const daemon = await site.start();
  const [one, other] = await greetAll(daemon.where);
  assert.ok(one !== undefined && other !== undefined);
  return { site, daemon, one, other };
}

async function logIn(client: Pop3Client, user = 'alice'): Promise<void> {
  await client.ask(`USER ${user}`);
  await client.ask(`PASS ${password}`);
}

/** Resolves when the process is no more. */
const gone = ({ pid }: Greeted): Promise<void> =>
  until(() => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
