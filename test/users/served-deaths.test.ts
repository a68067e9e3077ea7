import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { until } from '../e2e/support/fronts.ts';
import { largeMessage, mboxOf, onWire, plainMail } from '../e2e/support/mail.ts';
import type { Pop3Client } from '../e2e/support/pop3-client.ts';
import { burglar, ServedSite } from './support/served-site.ts';
import { alice, bob, type User } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

describe("a process that dies with isolation: 'user'", { skip }, () => {
  let served: ServedSite;

  beforeEach(async () => {
    served = await ServedSite.make([alice, bob], { plugins: [[burglar, { files: {} }]] });
    for (const user of [alice, bob]) await served.site.deliver(user, mboxOf(plainMail));
  });
  afterEach(async () => {
    await served.end();
  });

  const recoveriesOf = ({ uid }: User): number =>
    served.running.records.filter((record) => record.msg === 'recovering' && record['uid'] === uid).length;

  test('a worker: its sessions end, nothing is deleted, its user is looked after at once and comes in again', async () => {
    await served.start();
    const [one, other] = [await served.logIn(alice), await served.logIn(bob)];
    await one.ask('DELE 1');
    await served.leaveHalfDone(alice);
    const [worker = 0] = await served.workersOf(alice);
    process.kill(worker, 'SIGKILL');
    assert.equal(await diedOf(one), '');
    await until(() => recoveriesOf(alice) === 2);
    await served.running.logged(
      ({ msg, ending, user }) => msg === 'session' && ending === 'failed' && user === 'alice',
    );
    await other.ask('NOOP');
    await other.quit();
    const again = await served.logIn(alice);
    assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
    assert.equal(recoveriesOf(bob), 1);
  });

  test('all of them: at the next start users are looked after before anybody is let in, and nobody else', async () => {
    await served.start();
    for (const user of [alice, bob]) await (await served.logIn(user)).quit();
    const children = await served.pidsOf(/./);
    await served.running.kill();
    await until(async () => (await Promise.all(children.map(isThere))).every((there) => !there));
    await served.leaveHalfDone(alice);
    const { records } = await served.start();
    const told = records.map(({ msg, uid }) => (msg === 'recovering' ? `recovering ${String(uid)}` : msg));
    assert.equal(told.filter((line) => line.startsWith('recovering')).length, 1);
    assert.ok(told.indexOf('recovering 2001') < told.indexOf('listening'), told.join('\n'));
  });

  test('the one that checks passwords: sessions go on, logins hear that they may try again, and another takes its place', async () => {
    await served.start();
    const client = await served.logIn(alice);
    const [auth = 0] = await served.pidsOf(/^popper: auth/);
    process.kill(auth, 'SIGKILL');
    await served.running.logged(({ msg }) => /checks passwords died/.test(msg));
    const { answer, client: early } = await served.tryToLogIn(bob);
    assert.match(answer, /^(-ERR \[SYS\/TEMP\]|\+OK)/);
    early.destroy();
    await client.ask('NOOP');
    await until(async () => {
      const { answer: later, client: late } = await served.tryToLogIn(bob);
      late.destroy();
      return later.startsWith('+OK');
    });
    // What a new process has sealed is believed by workers of before, too.
    await client.quit();
    await (await served.logIn(alice)).quit();
    const [next] = await served.pidsOf(/^popper: auth/);
    assert.notEqual(next, auth);
  });

  test('a front: the maildrops of its clients are free at once, and no other front notices', async () => {
    await served.start();
    const client = await served.logIn(alice);
    const busy = /^popper: front \d+ \(1 session\)/;
    // Titles change once a second.
    await until(async () => (await served.pidsOf(busy)).length === 1);
    for (const front of await served.pidsOf(busy)) process.kill(front, 'SIGKILL');
    await diedOf(client);
    await (await served.logIn(alice)).quit();
    await until(async () => (await served.pidsOf(/^popper: front/)).length === 2);
    assert.equal((await served.workersOf(alice)).length, 1);
  });

  test('one that waited for a user: the next user gets another', async () => {
    await served.start();
    await until(async () => (await served.pidsOf(/^popper: spare/)).length === 1);
    for (const spare of await served.pidsOf(/^popper: spare/)) process.kill(spare, 'SIGKILL');
    await served.running.logged(({ msg }) => msg === 'a process that waited for a user has died');
    await (await served.logIn(alice)).quit();
  });

  test('the master, in the middle of a message: the client gets all of it, one line that says why, and nothing else', async () => {
    await served.site.deliver(alice, mboxOf([largeMessage]));
    await served.start();
    const client = await served.logIn(alice);
    await client.ask('RETR 1');
    await served.running.kill();
    // The front has nobody to ask any more what the client has heard by then.
    await delay(200);
    assert.ok((await client.body()).equals(onWire(largeMessage.octets)));
    assert.match(await diedOf(client), /^-ERR \[SYS\/TEMP\] the server is being stopped, [^\r]*\r\n$/);
  });

  test('the master, in the middle of a deletion: what the client hears of it is so', async () => {
    await served.start();
    for (const waitMs of [0, 3]) {
      await served.site.deliver(alice, mboxOf(plainMail));
      const client = await served.logIn(alice);
      await client.ask('DELE 1');
      const heard = client.rest();
      client.send('QUIT\r\n');
      await delay(waitMs);
      const children = await served.pidsOf(/./);
      await served.running.kill();
      const said = (await heard).toString('latin1');
      await until(async () => !(await Promise.all(children.map(isThere))).includes(true));
      const left = await served.site.mailOf(alice);
      if (said.startsWith('+OK')) assert.ok(left === mboxOf(plainMail.slice(1)).toString('latin1'), said);
      if (said.startsWith('-ERR')) assert.ok(left === mboxOf(plainMail).toString('latin1'), said);
      assert.match(said, /^(|\+OK [^\r]*\r\n|-ERR \[SYS\/TEMP\] the server is being stopped, [^\r]*\r\n)$/);
      await served.start();
    }
  });

  test('the master: nobody stays behind', async () => {
    await served.start();
    const client = await served.logIn(alice);
    const children = await served.pidsOf(/./);
    await served.running.kill();
    await diedOf(client);
    for (let tries = 0; tries < 500 && (await Promise.all(children.map(isThere))).includes(true); tries += 1)
      await delay(20);
    assert.deepEqual(
      await Promise.all(children.map(isThere)),
      children.map(() => false),
    );
  });
});

/** What it still heard. */
const diedOf = async (client: Pop3Client): Promise<string> => (await client.rest()).toString('latin1');

async function isThere(pid: number): Promise<boolean> {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
