import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { until } from '../e2e/support/fronts.ts';
import { largeMessage, mboxOf, plainMail } from '../e2e/support/mail.ts';
import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { password } from '../e2e/support/site.ts';
import { hanger, ServedSite, type ServedOptions } from './support/served-site.ts';
import { alice, bob, type User } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';
const saboteur = join(import.meta.dirname, '../e2e/support/saboteur.ts');

// They wait for most of the time, and not for each other.
describe("what keeps a user's process from its work with isolation: 'user'", { skip, concurrency: 5 }, () => {
  test('a plugin that blocks it: it is ended, the log says whose it was and at what, and others go on', async (t) => {
    const served = await serve(t, { plugins: [[saboteur, {}]], config: { blockedTimeoutMs: 8000 } });
    const [one, other] = [await logIn(served, alice), await logIn(served, bob)];
    await one.ask('DELE 1');
    const [worker = 0] = await served.workersOf(alice);
    assert.equal(await endOf(one, 'X-BLOCK'), '');
    const record = await served.running.logged(({ msg }) => msg === 'a worker blocks, so it is ended');
    assert.deepEqual([record['worker'], record['uid'], record['sessions']], [worker, alice.uid, 1]);
    assert.equal(record['shown'], 'popper: alice 127.0.0.1 X-BLOCK [saboteur: command X-BLOCK]');
    await until(() => linesOfSaboteur.test(served.running.said));
    await other.ask('NOOP');
    const again = await logIn(served, alice);
    assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `), 'nothing was deleted');
  });

  test('what a plugin left for later blocks it: the log has the line of its code', async (t) => {
    const served = await serve(t, { plugins: [[saboteur, {}]], config: { blockedTimeoutMs: 8000 } });
    const [one, other] = [await logIn(served, alice), await logIn(served, bob)];
    assert.match(await endOf(one, 'X-LATER'), /^\+OK/);
    const record = await served.running.logged(({ msg }) => msg === 'a worker blocks, so it is ended');
    assert.equal(record['uid'], alice.uid);
    await until(() => linesOfSaboteur.test(served.running.said));
    await other.ask('NOOP');
    await logIn(served, alice);
  });

  test('a plugin that blocks the locker: another takes its place, sessions go on, and the log has the line of its code', async (t) => {
    const served = await ServedSite.make([alice, bob]);
    t.after(() => served.end());
    for (const user of [alice, bob]) await served.site.deliver(user, mboxOf(plainMail));
    const store = ['store-mbox', { spool: join(served.site.spool, '{user}') }];
    const plugins = [
      ['auth-passwd', { file: 'passwd' }],
      store,
      [saboteur, { role: 'locker', atStart: 'X-LATER', laterMs: 15_000 }],
    ];
    await served.configure({ blockedTimeoutMs: 8000, plugins });
    await served.start();
    const other = await logIn(served, bob);
    const record = await served.running.logged(({ msg }) => msg === 'the locker blocks, so it is ended');
    await until(() => linesOfSaboteur.test(served.running.said));
    await until(async () => {
      const [locker] = await served.pidsOf(/^popper: locker/);
      return locker !== undefined && locker !== record['child'];
    });
    await other.ask('DELE 1');
    await other.quit();
    const again = await logIn(served, bob);
    assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length - 1} `));
  });

  test('a plugin that blocks it while its master is killed: the next daemon ends it, and its user comes in', async (t) => {
    const served = await serve(t, { plugins: [[saboteur, {}]] });
    const one = await logIn(served, alice);
    const [worker = 0] = await served.workersOf(alice);
    one.send('X-BLOCK\r\n');
    await delay(500);
    await served.running.kill();
    await served.start();
    const record = await served.running.logged(({ msg }) => msg.startsWith('a process of an earlier daemon'));
    assert.equal(record['child'], worker);
    await logIn(served, alice);
  });

  test('a hook that blocks it is named, though it began within a moment of other things', async (t) => {
    const options = { uid: 0, blocksAtCommit: true };
    const served = await serve(t, { plugins: [[hanger, options]], config: { blockedTimeoutMs: 8000 } });
    const one = await logIn(served, alice);
    await one.ask('DELE 1');
    assert.equal(await endOf(one, 'QUIT'), '');
    const record = await served.running.logged(({ msg }) => msg === 'a worker blocks, so it is ended');
    assert.equal(record['shown'], 'popper: alice 127.0.0.1 QUIT [hanger: hook commit]');
    // Each of his sessions would end so.
    const again = await logIn(served, alice);
    assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `), 'nothing was deleted');
  });

  test('its user, who stops it: it is ended, and he comes in again', async (t) => {
    const served = await serve(t, { config: { blockedTimeoutMs: 8000 } });
    const one = await logIn(served, alice);
    const [worker = 0] = await served.workersOf(alice);
    process.kill(worker, 'SIGSTOP');
    assert.equal(await endOf(one, 'NOOP'), '');
    await logIn(served, alice);
  });

  test('a plugin that blocks the one that checks passwords: another takes its place, and the log has the line of its code', async (t) => {
    const config = { blockedTimeoutMs: 8000 };
    const served = await serve(t, { plugins: [[hanger, { uid: 0 }]], config });
    const other = await logIn(served, bob);
    const { answer } = await served.tryToLogIn({ name: 'endless' });
    assert.match(answer, /^-ERR \[SYS\/TEMP\]/);
    const { at } = await served.running.logged(({ msg }) => msg === 'something blocks all sessions');
    assert.match(String(at), /hanger\.ts/);
    await other.ask('NOOP');
    await until(async () => (await served.tryToLogIn(alice)).answer.startsWith('+OK'));
  });

  test('recovery that comes to no end: after half a minute the others are served all the same', async (t) => {
    const served = await ServedSite.make([alice, bob], { plugins: [[hanger, { uid: alice.uid }]] });
    t.after(() => served.end());
    await served.leaveHalfDone(alice);
    await served.start();
    await served.running.logged(({ msg }) =>
      msg.startsWith('what dead processes have left half done is still'),
    );
    await logIn(served, bob);
  });

  test('a client who reads nothing: after a minute he makes room for others', async (t) => {
    const served = await ServedSite.make([alice, bob], {
      config: { fronts: 1, limits: { connections: 1, connectionsPerAddress: 10 } },
    });
    t.after(() => served.end());
    await served.site.deliver(alice, mboxOf([largeMessage]));
    await served.start();
    const stalled = await logIn(served, alice);
    stalled.send('RETR 1\r\n');
    const turnedAway = await Pop3Client.connect(served.running.where);
    assert.match((await turnedAway.line()) ?? '', /^-ERR \[SYS\/TEMP\] too many connections/);
    await until(async () => {
      await delay(1000);
      const client = await Pop3Client.connect(served.running.where);
      const greeting = await client.line();
      client.destroy();
      return greeting?.startsWith('+OK') === true;
    });
    const { ending } = await served.running.logged(({ msg, user }) => msg === 'session' && user === 'alice');
    assert.equal(ending, 'crowded');
    await until(async () => (await served.tryToLogIn(alice)).answer.startsWith('+OK'));
  });
});

/** Of what Node prints of a process that is interrupted. */
const linesOfSaboteur = /^\s+at .*saboteur\.ts:\d+/m;

async function serve(t: TestContext, options: ServedOptions): Promise<ServedSite> {
  const served = await ServedSite.make([alice, bob], options);
  t.after(() => served.end());
  for (const user of [alice, bob]) await served.site.deliver(user, mboxOf(plainMail));
  await served.start();
  return served;
}

const logIn = (served: ServedSite, { name }: User): Promise<Pop3Client> =>
  Pop3Client.loggedIn(served.running.where, name, password);

/** What a client hears who says that and is left. */
async function endOf(client: Pop3Client, command: string): Promise<string> {
  client.send(`${command}\r\n`);
  return (await client.rest()).toString();
}
