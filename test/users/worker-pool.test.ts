import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { monotonicMs, newKey, sealTicket, TicketRefused, toldKey } from '../../core/server/user/ticket.ts';
import { until } from '../e2e/support/fronts.ts';
import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { coreOf } from './support/core.ts';
import { Front } from './support/front.ts';
import { alice, bob, Site, type User } from './support/site.ts';
import { SmallMaster } from './support/small-master.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

describe('the processes that users are served by', { skip }, () => {
  let site: Site;
  let master: SmallMaster;
  let front: Front;

  beforeEach(async () => {
    site = await Site.make();
  });
  afterEach(async () => {
    front.close();
    await master.stop();
    await site.remove();
  });

  const start = async (options: Parameters<typeof SmallMaster.start>[1]): Promise<void> => {
    master = await SmallMaster.start(site, options);
    front = await Front.start(coreOf(site.stateDir, site.spool), master);
  };

  const login = async ({ name, password }: User): Promise<{ client: Pop3Client; answer: string }> => {
    const client = await Pop3Client.connect({ host: '127.0.0.1', port: front.port });
    await client.line();
    await client.ask(`USER ${name}`);
    return { client, answer: await client.say(`PASS ${password}`) };
  };

  const running = (): number => master.workers.filter(({ process: child }) => child.exitCode === null).length;

  test('begin as spares, and another spare takes the place of one that has become a user', async () => {
    await start({ spares: 1 });
    assert.equal(running(), 1);
    const spare = master.workers[0]?.worker.pid;
    const { client, answer } = await login(alice);
    assert.match(answer, /^\+OK/);
    assert.equal(JSON.parse((await client.ask('XWHO')).slice(4)).pid, spare);
    await until(() => running() === 2);
    await client.quit();
  });

  test('end when their user has not come for a while', async () => {
    await start({ spares: 0, idleMs: 50 });
    const { client } = await login(alice);
    await delay(150);
    await client.ask('NOOP');
    await client.quit();
    await master.workers[0]?.exited;
    assert.match((await login(alice)).answer, /^\+OK/);
    assert.equal(master.workers.length, 2);
  });

  test('are no more than there may be: who comes then waits, is told why, and ends nobody else for it', async () => {
    await start({ spares: 0, maxUsers: 1, patienceMs: 300 });
    const first = await login(alice);
    const { client, answer } = await login(bob);
    assert.equal(answer, '-ERR [SYS/TEMP] too many users at one time, try again');
    assert.equal(String(await client.rest()), '');
    const { user, ending, failure } = front.reports.at(-1) ?? {};
    assert.deepEqual([user, ending, failure?.code], ['bob', 'failed', 'SYS/TEMP']);
    await first.client.ask('NOOP');
    await first.client.quit();
  });

  test('make room for a user who waits, as soon as another has no session any more', async () => {
    await start({ spares: 0, maxUsers: 1, patienceMs: 10_000 });
    const first = await login(alice);
    const waiting = login(bob);
    await delay(50);
    await first.client.quit();
    const second = await waiting;
    assert.match(second.answer, /^\+OK/);
    await second.client.quit();
    await delay(50);
    assert.match((await login(alice)).answer, /^\+OK/);
  });

  test('take in all who wait for the same user', async () => {
    await start({ spares: 0, maxUsers: 1, patienceMs: 10_000 });
    const first = await login(alice);
    const bobs = [login(bob), login(bob), login(bob)];
    await delay(100);
    await first.client.quit();
    // One of them has the maildrop, and the others hear that at once, and not that there are too many users.
    const answers = (await Promise.all(bobs)).map(({ answer }) => answer.slice(0, 12));
    assert.deepEqual(answers.toSorted(), ['+OK maildrop', '-ERR [IN-USE', '-ERR [IN-USE']);
    for (const { client, answer } of await Promise.all(bobs))
      if (answer.startsWith('+OK')) await client.quit();
  });

  test('are the same one for two sessions that a user begins at one time', async () => {
    await start({ spares: 0 });
    await site.deliver(alice, '');
    const answers = (await Promise.all([login(alice), login(alice)])).map(({ answer }) => answer.slice(0, 4));
    assert.deepEqual(answers.toSorted(), ['+OK ', '-ERR']);
    assert.equal(master.workers.length, 1);
  });

  for (const [what, keepsWaiting] of [
    ['wait for a process that still loads', async () => {}],
    ['wait for a place', async () => (await login(bob)).client],
  ] as const) {
    test(`serve those who were let in and ${what} when another process begins to check passwords`, async () => {
      await start({ spares: 0, maxUsers: 1, patienceMs: 10_000 });
      const other = await keepsWaiting();
      const before = master.assigned;
      const waiting = login(alice);
      // By then her ticket has been looked at.
      await until(() => master.assigned > before);
      master.pool.trust(toldKey(newKey()));
      await other?.quit();
      const { client, answer } = await waiting;
      assert.match(answer, /^\+OK/);
      await client.quit();
      assert.match(
        (await login(alice)).answer,
        /^-ERR \[SYS\/TEMP\]/,
        'but nobody whom the one before lets in now',
      );
    });
  }

  for (const [what, ticketFor] of [
    ['nobody has sealed', () => 'let me in'],
    ['a taken-over front has sealed itself', (connection: string) => sealedFor(bob, connection, newKey())],
  ] as const) {
    test(`do not begin for a ticket that ${what}`, async () => {
      await start({ spares: 0 });
      const facts = { id: 'f-1', peer: { address: '192.0.2.7', port: 1 }, local, secure: false };
      await assert.rejects(master.assign(ticketFor(facts.id), facts), TicketRefused);
      assert.equal(running(), 0);
    });
  }

  test('are nobody any more when the server has stopped', async () => {
    await start({ spares: 2 });
    const { client } = await login(alice);
    const rest = client.rest();
    await master.pool.stop();
    assert.match(String(await rest), /^-ERR \[SYS\/TEMP\] the server is being stopped/);
    assert.equal(running(), 0);
  });
});

const local = { address: '192.0.2.1', port: 110 };

const sealedFor = ({ name, uid, gid }: User, connection: string, key: KeyObject): string => {
  const identity = { user: name, uid, gid, home: '/' };
  return sealTicket({ identity, facts: {} }, connection, { key, nowMs: monotonicMs() });
};
