import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { makeCertificate } from '../../core/server/testing/certificates.ts';
import { TlsClient } from '../../core/server/testing/tls-client.ts';
import { childrenOf, descriptorsOf, footprintOf, noMoreThan, until } from '../e2e/support/fronts.ts';
import { largeMessage, mboxOf, onWire, plainMail } from '../e2e/support/mail.ts';
import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { password } from '../e2e/support/site.ts';
import { SteadyClient } from '../e2e/support/steady-client.ts';
import { ServedSite } from './support/served-site.ts';
import { alice, bob, type User } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';
/** 1000: POPPER_TEST_RELOADS=1000 npm test -- --test-timeout=14400000 test/users/served-many.test.ts */
const reloads = Number(process.env['POPPER_TEST_RELOADS'] ?? '5');

describe("what many do at one time with isolation: 'user'", { skip }, () => {
  let served: ServedSite;

  afterEach(async () => {
    assert.equal(await served.end(), 0);
  });

  const serve = async (
    users: readonly User[],
    config: Readonly<Record<string, unknown>> = {},
  ): Promise<void> => {
    served = await ServedSite.make(users, { config });
    for (const user of users) await served.site.deliver(user, mboxOf(plainMail));
    await served.start();
  };

  const reload = async (generation: number): Promise<void> => {
    served.running.signal('SIGHUP');
    await served.running.logged(
      ({ msg, generation: listening }) => msg === 'listening' && listening === generation,
    );
  };

  const openIn = async (): Promise<readonly number[]> =>
    Promise.all([served.running.pid, ...(await served.pidsOf(/^popper: (front|auth)/))].map(descriptorsOf));

  test('who is there goes on after reloads, with what he has marked', async () => {
    await serve([alice]);
    const old = await served.logIn(alice);
    await old.ask('DELE 1');
    for (const generation of [2, 3]) await reload(generation);
    await old.ask('NOOP');
    await old.quit();
    assert.equal(await served.site.mailOf(alice), mboxOf(plainMail.slice(1)).toString('latin1'));
    await (await served.logIn(alice)).quit();
  });

  for (const tls of [false, true]) {
    test(`${reloads} reloads under load${tls ? ' over TLS' : ''} cost no session, and leave nothing behind`, async (t) => {
      served = await ServedSite.make([alice]);
      await served.site.deliver(alice, mboxOf(plainMail));
      const listen = [{ host: '127.0.0.1', port: 0, ...(tls && { tls }) }];
      const certificate = tls ? { tls: await makeCertificate(served.site.folder) } : {};
      await served.configure({ workers: { spares: 0, idleMs: 300 }, listen, ...certificate });
      await served.start();
      await reload(2);
      // Two fronts, and the one that checks passwords: nobody is served.
      const before = await footprintOf(served.running, 3);
      // A reload is many processes that start: with less to do besides there can be more of them.
      const client = new SteadyClient({ ...served.running.where, tls }, alice.name, 50);
      client.start();
      for (let generation = 3; generation < 3 + reloads; generation += 1) await reload(generation);
      await client.stop();
      const grownOctets = noMoreThan(before, await footprintOf(served.running, 3));
      assert.ok(client.sessionCount > 0);
      t.diagnostic(`${client.sessionCount} sessions, ${grownOctets} octets more`);
    });
  }

  test('a reload that fails leaves everything as it was, and no process', async () => {
    await serve([alice]);
    await until(async () => (await served.pidsOf(/^popper: spare/)).length === 1);
    const before = (await childrenOf(served.running)).length;
    const passwords = join(served.site.folder, 'passwd');
    await rename(passwords, `${passwords}.away`);
    served.running.signal('SIGHUP');
    const record = await served.running.logged(
      ({ msg }) => msg === 'the reload failed, and all stays as it was',
    );
    assert.match(JSON.stringify(record), /passwd/);
    await until(async () => (await childrenOf(served.running)).length === before);
    await rename(`${passwords}.away`, passwords);
    await (await served.logIn(alice)).quit();
  });

  test('a login waits for a place where all are taken, and is told when none came free; a session is never ended for it', async () => {
    await serve([alice, bob], { workers: { spares: 0, maxUsers: 1, patienceMs: 300 } });
    const client = await served.logIn(alice);
    const { answer, client: refused } = await served.tryToLogIn(bob);
    assert.match(answer, /^-ERR \[SYS\/TEMP\] too many users at one time/);
    refused.destroy();
    await client.ask('NOOP');
    await client.quit();
    // A process without a session makes room at once.
    await (await served.logIn(bob)).quit();
    await (await served.logIn(alice)).quit();
  });

  test('a process without a session ends when its time is over, and the next login has a new one', async () => {
    await serve([alice], { workers: { spares: 1, idleMs: 300 } });
    await (await served.logIn(alice)).quit();
    const leftAtMs = performance.now();
    await until(async () => (await served.workersOf(alice)).length === 0);
    // Unless set, it is a minute.
    assert.ok(performance.now() - leftAtMs < 40_000);
    await (await served.logIn(alice)).quit();
  });

  test('sessions of a user are counted in all fronts of all generations together', async () => {
    await serve([alice], { limits: { sessionsPerUser: 1 } });
    const client = await served.logIn(alice);
    for (const generation of [1, 2]) {
      if (generation > 1) await reload(generation);
      for (let tries = 0; tries < 8; tries += 1) {
        const { answer, client: other } = await served.tryToLogIn(alice);
        assert.match(answer, /^-ERR \[IN-USE\] too many sessions/);
        other.destroy();
      }
    }
    await client.quit();
    await until(async () => {
      const { answer, client: next } = await served.tryToLogIn(alice);
      if (answer.startsWith('+OK')) await next.quit();
      return answer.startsWith('+OK');
    });
  });

  test('a client who does not read makes neither front nor worker hold his mail for him', async () => {
    await serve([alice]);
    await served.site.deliver(alice, mboxOf([largeMessage]));
    const client = await served.logIn(alice);
    const pids = [...(await served.pidsOf(/^popper: front/)), ...(await served.workersOf(alice))];
    const before = await Promise.all(pids.map(residentOctets));
    client.socket.pause();
    client.send('RETR 1\r\n');
    await delay(1500);
    const after = await Promise.all(pids.map(residentOctets));
    assert.match(await served.ask('who', '--json'), /"user":"alice".*"state":"TRANSACTION","command":"RETR"/);
    for (const [index, octets] of after.entries())
      assert.ok(octets - (before[index] ?? 0) < 16 * 2 ** 20, `${octets} octets after ${before[index]}`);
    client.socket.resume();
    assert.match((await client.line()) ?? '', /^\+OK/);
    assert.ok((await client.body()).equals(onWire(largeMessage.octets)));
    await client.quit();
  });

  for (const tls of [false, true]) {
    test(`a client is known by what a proxy says of him${tls ? ', over TLS' : ''}, with all that he sends in one go`, async () => {
      served = await ServedSite.make([alice]);
      await served.site.deliver(alice, mboxOf(plainMail));
      const listen = [{ host: '127.0.0.1', port: 0, proxy: { from: ['127.0.0.0/8'] } }];
      const certificate = tls ? { tls: await makeCertificate(served.site.folder) } : {};
      await served.configure({ listen, cleartextLogin: 'always', ...certificate });
      await served.start();
      const { where } = served.running;
      const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 40000 110\r\n';
      const commands = [`USER ${alice.name}`, `PASS ${password}`, 'STAT', 'QUIT'];
      if (tls) {
        const client = TlsClient.silent(where.port);
        client.socket.write(header);
        await client.hears(/^\+OK .*\r\n/);
        await client.startTls();
        client.send(...commands);
        assert.match(await client.ended(), /\+OK \d+ \d+\r\n\+OK [^\r\n]*\r\n$/);
      } else {
        const client = await Pop3Client.connect(where);
        client.send(`${header}${commands.join('\r\n')}\r\n`);
        assert.match(String(await client.rest()), /\+OK \d+ \d+\r\n\+OK [^\r\n]*\r\n$/);
      }
      const { address, user } = await served.running.logged(({ msg }) => msg === 'session');
      assert.deepEqual([address, user], ['192.0.2.7', alice.name]);
    });
  }

  test('a session ends when its client has been silent for too long, and without UPDATE', async () => {
    await serve([alice], { idleTimeoutMs: 700 });
    const client = await served.logIn(alice);
    await client.ask('DELE 1');
    assert.equal((await client.rest()).toString(), '');
    const { ending, deleted } = await served.running.logged(({ msg }) => msg === 'session');
    assert.deepEqual([ending, deleted], ['idle', { messages: 0, octets: 0 }]);
    assert.equal(await served.site.mailOf(alice), mboxOf(plainMail).toString('latin1'));
  });

  test('a drain lets the sessions that are there come to their end, and a stop tells them', async () => {
    await serve([alice, bob]);
    const [one, other] = [await served.logIn(alice), await served.logIn(bob)];
    await one.ask('DELE 1');
    await served.ask('drain');
    await other.ask('NOOP');
    await one.quit();
    assert.equal(await served.site.mailOf(alice), mboxOf(plainMail.slice(1)).toString('latin1'));
    await other.ask('DELE 1');
    served.running.signal('SIGTERM');
    assert.match(
      (await other.rest()).toString(),
      /^-ERR \[SYS\/TEMP\] the server is being stopped, nothing was deleted/,
    );
    assert.equal(await served.running.exited, 0);
    assert.equal(await served.site.mailOf(bob), mboxOf(plainMail).toString('latin1'));
  });

  test('hundreds of logins of many users leave no process and no descriptor behind', async () => {
    const users = Array.from({ length: 25 }, (_, index) => {
      const uid = 3000 + index;
      return { name: `user${index}`, uid, gid: uid, password: '' };
    });
    await serve(users, { workers: { spares: 1, maxUsers: 4 } });
    for (const user of users.slice(0, 1)) await (await served.logIn(user)).quit();
    // The next one that waits is started a moment after the first answer.
    await until(async () => (await served.pidsOf(/^popper: spare$/)).length === 1);
    const before = await openIn();
    for (const user of users)
      for (let times = 0; times < 20; times += 1) await (await served.logIn(user)).quit();
    await until(async () => (await served.pidsOf(/./)).length <= 2 + 1 + 1 + 1 + 4);
    const after = await openIn();
    // The master has a channel to each process, and there may be three more of them than there were.
    assert.ok((after[0] ?? 0) <= (before[0] ?? 0) + 3, `${after[0]} descriptors after ${before[0]}`);
    await until(async () => {
      const [, ...others] = await openIn();
      return others.every((open, index) => open <= (before[index + 1] ?? 0));
    });
  });
});

async function residentOctets(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
