import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { LoggedRecord } from '../e2e/support/daemon.ts';
import { descriptorsOf, until } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { password } from '../e2e/support/site.ts';
import { ServedSite } from './support/served-site.ts';
import { alice, bob } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

describe("a client without TLS, whose connection is handed over to his user's process", { skip }, () => {
  let served: ServedSite;

  afterEach(async () => {
    assert.equal(await served.end(), 0);
  });

  const serve = async (config: Readonly<Record<string, unknown>> = {}): Promise<void> => {
    served = await ServedSite.make([alice, bob], { config });
    for (const user of [alice, bob]) await served.site.deliver(user, mboxOf(plainMail));
    await served.start();
  };

  /** The words are sent, and nobody waits for what they come to. */
  const sendLogin = async (user: { readonly name: string }): Promise<Pop3Client> => {
    const client = await Pop3Client.connect(served.running.where);
    await client.line();
    client.send(`USER ${user.name}\r\nPASS ${password}\r\n`);
    return client;
  };

  const endOf = (user: { readonly name: string }): Promise<LoggedRecord> =>
    served.running.logged((record) => record.msg === 'session' && record['user'] === user.name);

  const frontPid = async (): Promise<number> => (await served.pidsOf(/^popper: front/))[0] ?? 0;

  test('is served while the front does nothing, and its end is told with every octet of both', async () => {
    await serve({ fronts: 1 });
    const client = await served.logIn(alice);
    const front = await frontPid();
    process.kill(front, 'SIGSTOP');
    try {
      await client.ask('STAT');
      await client.askOctets('RETR 1');
    } finally {
      process.kill(front, 'SIGCONT');
    }
    const [entry] = (await served.ask('who', '--json')).trim().split('\n');
    const { received, sent, state } = JSON.parse(entry ?? '{}');
    assert.deepEqual(
      [received, sent, state],
      [client.socket.bytesWritten, client.socket.bytesRead, 'TRANSACTION'],
    );
    await client.quit();
    const report = await endOf(alice);
    assert.deepEqual(
      [report['received'], report['sent'], report['ending']],
      [client.socket.bytesWritten, client.socket.bytesRead, 'quit'],
    );
  });

  test('loses no command, whenever it comes: with the login, after it, or while another process takes over', async () => {
    await serve({ fronts: 1 });
    for (let times = 0; times < 30; times += 1) {
      const client = await sendLogin(alice);
      // From within the front's own segment to long after.
      if (times > 0) await delay(times / 4);
      client.send('NOOP\r\nSTAT\r\n');
      await new Promise((resolve) => setImmediate(resolve));
      client.send('QU');
      client.send('IT\r\n');
      client.halfClose();
      const lines = (await client.rest()).toString('latin1').split('\r\n');
      assert.equal(lines.length, 6, lines.join('\n'));
      assert.match(lines.join(' '), /^\+OK .*\+OK maildrop .*\+OK .*\+OK \d+ \d+ \+OK bye $/);
    }
  });

  test('leaves at any moment, and costs neither a session, nor a descriptor, nor his next login', async () => {
    await serve({ fronts: 1 });
    await (await served.logIn(alice)).quit();
    const pids = [served.running.pid, await frontPid(), ...(await served.workersOf(alice))];
    const before = await Promise.all(pids.map(descriptorsOf));
    for (let times = 0; times < 30; times += 1) {
      const client = await sendLogin(alice);
      await delay(times / 4);
      if (times % 2 === 0) client.socket.resetAndDestroy();
      else client.destroy();
    }
    await until(async () => (await served.ask('who', '--json')).trim() === '');
    await until(async () => {
      const after = await Promise.all(pids.map(descriptorsOf));
      return after.every((open, index) => open <= (before[index] ?? 0) + 2);
    });
    await (await served.logIn(alice)).quit();
    const told = (): readonly unknown[] =>
      served.running.records.filter(({ msg }) => msg === 'session').map(({ session }) => session);
    await until(() => told().length >= 32);
    assert.equal(new Set(told()).size, 32);
    assert.equal(told().length, 32);
  });

  test('is ended by the operator also while he waits for a process, and one that waits is cut off at once', async () => {
    await serve({ fronts: 1, workers: { spares: 0, maxUsers: 1, patienceMs: 120_000 } });
    const first = await served.logIn(alice);
    const client = await sendLogin(bob);
    await until(async () => (await served.ask('who', '--json')).includes('"user":"bob"'));
    const rest = client.rest();
    const kicked = await served.ask('kick', 'bob');
    assert.match((await rest).toString('latin1'), /^\+OK [^\r]*\r\n$/, kicked);
    await first.ask('NOOP');
    await first.quit();
    await endOf(bob);
    // Nothing of it stays behind that would keep him out.
    await (await served.logIn(bob)).quit();
  });

  test('has his session to its end in the generation that it began in, through a reload', async () => {
    await serve();
    const client = await served.logIn(alice);
    await client.ask('DELE 1');
    served.running.signal('SIGHUP');
    await served.running.logged(({ msg, generation }) => msg === 'listening' && generation === 2);
    const other = await served.logIn(bob);
    await client.quit();
    await other.quit();
    assert.equal(await served.site.mailOf(alice), mboxOf(plainMail.slice(1)).toString('latin1'));
    assert.equal((await endOf(alice))['ending'], 'quit');
  });
});
