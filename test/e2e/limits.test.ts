import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Daemon } from './support/daemon.ts';
import { greet, makeSiteOfFronts } from './support/fronts.ts';
import { plainMail, putMail } from './support/mail.ts';
import { Pop3Client, type TcpAddress } from './support/pop3-client.ts';
import { run } from './support/program.ts';
import { logIn, makeSite, password } from './support/site.ts';

const tooMany = /^-ERR \[SYS\/TEMP\] too many connections/;

test('an address with too many connections is told so, and others are not', async (t) => {
  const site = await makeSite(t, { config: { limits: { connectionsPerAddress: 2 } } });
  const { where } = await site.start();
  const first = await greeted(where);
  const second = await greeted(where);
  await turnedAway(where);
  await greeted({ ...where, localAddress: '127.0.0.2' });

  await first.quit();
  await untilGreeted(where);
  await turnedAway(where);
  second.destroy();
});

test('clients that are gone before they hear why they are sent away keep no place', async (t) => {
  const site = await makeSite(t, { config: { limits: { connections: 10 } } });
  const daemon = await site.start();
  for (let round = 0; round < 40; round += 1) {
    const client = await Pop3Client.connect(daemon.where);
    client.send('A'.repeat(100_000));
    if (round % 2 === 0) await client.line();
    client.socket.resetAndDestroy();
  }
  await untilGreeted(daemon.where);
  assert.equal(await daemon.stop(), 0);
});

test('there is a limit for all addresses together, and users who are there are not sent away for others', async (t) => {
  const users = ['alice', 'bob', 'carol'];
  const site = await makeSite(t, { users, config: { limits: { connections: 3 } } });
  const { where } = await site.start();
  for (const [index, user] of users.entries())
    await logIn({ ...where, localAddress: `127.0.0.${index + 1}` }, user);
  await turnedAway({ ...where, localAddress: '127.0.0.4' });
});

test('the limit for all addresses holds for all fronts together', async (t) => {
  const site = await makeSite(t, { config: { limits: { connections: 1 }, fronts: 2 } });
  const { where } = await site.start();
  await logIn(where);
  // The fronts hear of one another each second. Which of them a client comes to is the kernel's choice.
  for (let inARow = 0; inARow < 20;) {
    const client = await Pop3Client.connect(where);
    inARow = tooMany.test((await client.line()) ?? '') ? inARow + 1 : 0;
    client.destroy();
    if (inARow === 0) await delay(50);
  }
});

for (const limit of ['connectionsPerAddress', 'connectionsPerNetwork']) {
  test(`${limit} holds for all fronts together, also for those of the generation before`, async (t) => {
    const site = await makeSite(t, { config: { limits: { [limit]: 3 }, fronts: 2 } });
    const daemon = await site.start();
    const { where } = daemon;
    for (let client = 0; client < 3; client += 1) {
      await greeted(where);
      // Two hops, and some time for a busy machine: they hear of one another at once where there are as few as here.
      await delay(500);
    }
    await noneComesIn(where);
    daemon.signal('SIGHUP');
    await daemon.logged(({ msg, generation }) => msg === 'listening' && generation === 2);
    await delay(1500);
    await noneComesIn(where);
    await greeted({ ...where, localAddress: '127.0.1.1' });
  });
}

test('who comes again as soon as he has left is let in, whichever front he comes to', async (t) => {
  const site = await makeSite(t, { config: { limits: { sessionsPerUser: 1 }, fronts: 2 } });
  await putMail(site.mboxOf('alice'), plainMail);
  const { where } = await site.start();
  const clients = await Promise.all(Array.from({ length: 10 }, () => greeted(where)));
  for (const client of clients) {
    await client.ask('USER alice');
    assert.match(await client.say(`PASS ${password}`), /^\+OK /);
    // By then the other front knows that she is there.
    await delay(400);
    await client.quit();
  }
});

/** To whichever front he comes, which is the kernel's choice. */
async function noneComesIn(where: TcpAddress): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    const clients = await Promise.all(Array.from({ length: 8 }, () => Pop3Client.connect(where)));
    for (const client of clients) {
      assert.match((await client.line()) ?? '', tooMany);
      client.destroy();
    }
  }
}

test('a flood of clients who say nothing keeps no user out', async (t) => {
  const site = await makeSite(t, { config: { limits: { connections: 20 } } });
  await putMail(site.mboxOf('alice'), plainMail);
  const { where } = await site.start();
  for (let client = 0; client < 20; client += 1) await greeted(where);
  const alice = await logIn(where);
  for (let client = 0; client < 20; client += 1) await greeted(where);
  assert.match(await alice.ask('STAT'), /^\+OK 8 /);
  await alice.quit();
});

test('a flood of clients who say nothing keeps no user out, whichever front they are at, across a reload', async (t) => {
  const site = await makeSiteOfFronts(t, { config: { limits: { connections: 20 } } });
  const daemon = await site.start();
  const { where } = daemon;
  const flood = await Promise.all(Array.from({ length: 20 }, () => greet(where)));
  daemon.signal('SIGHUP');
  await daemon.logged(({ msg, generation }) => msg === 'listening' && generation === 2);
  // The old fronts, who have all places, have told of them.
  await delay(1500);
  const alice = await logIn(where);
  for (let client = 0; client < 20; client += 1) await greeted(where);
  assert.match(await alice.ask('STAT'), /^\+OK 8 /);
  await alice.quit();
  const ended = await Promise.all(flood.map(({ client }) => client.rest()));
  for (const words of ended) assert.match(words.toString(), tooMany);
});

test('a daemon that may open few files says so, and lets in no more clients than they suffice for', async (t) => {
  const site = await makeSite(t);
  await (await site.start()).stop();
  const daemon = await Daemon.start(site.configFile, undefined, ['prlimit', '--nofile=190:190']);
  t.after(() => daemon.kill());
  const warning = await daemon.logged(({ msg }) => msg === 'too few open files for limits.connections');
  assert.equal(warning['possible'], 10);
  assert.match(String(warning['fix']), /LimitNOFILE=30160 /);
  const first = await greeted(daemon.where);
  for (let client = 0; client < 10; client += 1) await greeted(daemon.where);
  assert.match((await first.rest()).toString(), tooMany);
});

test('clients who come when there is no file left for them are closed, none waits, and then all is as before', async (t) => {
  const site = await makeSite(t);
  const daemon = await site.start();
  const openFiles = (await readdir(`/proc/${daemon.pid}/fd`)).length;
  await allowFiles(daemon, openFiles + 10);
  const clients = await Promise.all(Array.from({ length: 80 }, () => Pop3Client.connect(daemon.where)));
  const lines = await Promise.all(clients.map((client) => client.line()));
  const closed = lines.filter((line) => line === undefined);
  const welcome = lines.filter((line) => line?.startsWith('+OK'));
  assert.ok(closed.length > 0 && welcome.length > 0, lines.join());
  assert.equal(closed.length + welcome.length, lines.length);
  await allowFiles(daemon, 1024);
  const last = await greeted(daemon.where);
  for (const client of [...clients, last]) client.destroy();
  assert.equal(await daemon.stop(), 0);
});

test('a line without end is refused once, then the client is sent away', async (t) => {
  const site = await makeSite(t);
  const daemon = await site.start();
  const client = await greeted(daemon.where);
  client.send('A'.repeat(1024 * 1024));
  const said = (await client.rest()).toString();
  assert.match(said, /^-ERR line too long[^\r]*\r\n-ERR [^\r]*\r\n$/);
  await daemon.logged(({ msg, ending }) => msg === 'session' && ending === 'abuse');
});

test('one line that is too long costs one -ERR, and the session goes on', async (t) => {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), plainMail);
  const client = await logIn((await site.start()).where);
  assert.match(await client.say('A'.repeat(20_000)), /^-ERR line too long/);
  assert.match(await client.ask('STAT'), /^\+OK 8 /);
  await client.quit();
});

/** Changes the limit of a daemon that runs; what it may raise it to stays. */
const allowFiles = (daemon: Daemon, openFiles: number) =>
  run('prlimit', [`--pid=${daemon.pid}`, `--nofile=${openFiles}:`], { home: '/' });

async function greeted(where: TcpAddress): Promise<Pop3Client> {
  const client = await Pop3Client.connect(where);
  assert.match((await client.line()) ?? 'closed', /^\+OK/);
  return client;
}

/** The place of one who left is free when the daemon has seen the connection closed. */
async function untilGreeted(where: TcpAddress): Promise<void> {
  for (;;) {
    const client = await Pop3Client.connect(where);
    if ((await client.line())?.startsWith('+OK') === true) return;
    await client.rest();
  }
}

async function turnedAway(where: TcpAddress): Promise<void> {
  const client = await Pop3Client.connect(where);
  assert.match((await client.rest()).toString(), tooMany);
  client.destroy();
}
