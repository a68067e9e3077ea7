import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { LoggedRecord } from '../e2e/support/daemon.ts';
import { greetAll, saboteur, until } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import type { Pop3Client } from '../e2e/support/pop3-client.ts';
import { password } from '../e2e/support/site.ts';
import { ServedSite } from './support/served-site.ts';
import { alice, bob, type User } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

describe("a plugin that breaks with isolation: 'user'", { skip }, () => {
  let served: ServedSite;
  let other: Pop3Client;

  before(async () => {
    served = await ServedSite.make([alice, bob]);
    const plugins = [
      // Before who denies those whom he does not know.
      saboteur,
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: join(served.site.spool, '{user}'), lockMethods: ['fcntl'] }],
    ];
    await served.configure({ plugins, blockedTimeoutMs: 8000 });
    for (const user of [alice, bob]) await served.site.deliver(user, mboxOf(plainMail));
    await served.start();
    other = await served.logIn(bob);
  });
  after(async () => {
    await other.quit();
    assert.equal(await served.end(), 0);
  });

  /** Runs something, and gives what was logged from then on, up to what is waited for. */
  const loggedBy = async (act: () => Promise<void>, isLast: (record: LoggedRecord) => boolean) => {
    const { length } = served.running.records;
    await act();
    const fresh = (): readonly LoggedRecord[] => served.running.records.slice(length);
    await until(() => fresh().some(isLast));
    return fresh();
  };

  /** All that are there for more than one user. */
  const pillars = () => served.pidsOf(/^popper: (front|auth|locker)/);

  const workerOf = async (user: User): Promise<number | undefined> => (await served.workersOf(user))[0];

  for (const { what, command, heard, trace } of [
    { what: 'calls process.exit', command: 'X-EXIT', heard: /^$/, trace: ended },
    { what: 'leaks a rejection', command: 'X-LEAK', heard: /^(\+OK\r\n)?$/, trace: leaked },
  ]) {
    test(`which ${what} in the process of a user costs this user's session, and the log names uid and file`, async () => {
      const [standing, ofBob, ofAlice] = [await pillars(), await workerOf(bob), await workerOf(alice)];
      const client = await served.logIn(alice);
      await client.ask('DELE 1');
      const logged = await loggedBy(
        async () => {
          client.send(`${command}\r\n`);
          assert.match(String(await client.rest()), heard);
        },
        ({ msg, uid }) => msg === 'the process of a user has died' && uid === alice.uid,
      );
      assert.match(JSON.stringify(logged.find(trace)), /saboteur\.ts/);
      await other.ask('NOOP');
      const again = await served.logIn(alice);
      assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
      await again.quit();
      assert.deepEqual([await pillars(), await workerOf(bob)], [standing, ofBob]);
      assert.notEqual(await workerOf(alice), ofAlice);
    });

    test(`which ${what} in the process that checks passwords costs no session, and the next login works`, async () => {
      const fronts = await served.pidsOf(/^popper: front/);
      const [auth] = await served.pidsOf(/^popper: auth/);
      const client = await served.logIn(alice);
      const logged = await loggedBy(
        async () => {
          const { client: unlucky, answer } = await served.tryToLogIn({ name: command });
          assert.match(answer, /^-ERR/);
          unlucky.destroy();
        },
        ({ msg, child }) => /checks passwords died/.test(msg) && child === auth,
      );
      assert.match(JSON.stringify(logged.find(trace)), /saboteur\.ts/);
      for (const one of [client, other]) await one.ask('NOOP');
      await client.quit();
      await until(async () => {
        const { answer, client: late } = await served.tryToLogIn(alice);
        late.destroy();
        return answer.startsWith('+OK');
      });
      assert.deepEqual(await served.pidsOf(/^popper: front/), fronts);
    });
  }

  for (const { what, command, trace } of [
    { what: 'calls process.exit', command: 'X-EXIT', trace: ended },
    { what: 'leaks a rejection', command: 'X-LEAK', trace: leaked },
    { what: 'blocks', command: 'X-BLOCK', trace: blocked },
  ]) {
    test(`which ${what} in a front costs that front, and the log names the file`, async () => {
      const { where } = served.running;
      // He may have come by either.
      await other.quit();
      const [one, another] = await greetAll(where);
      assert.ok(one !== undefined && another !== undefined);
      const [auth, ofBob] = [await served.pidsOf(/^popper: (auth|locker)/), await workerOf(bob)];
      const logged = await loggedBy(
        async () => one.client.send(`${command}\r\n`),
        ({ msg }) => msg === 'starting another front',
      );
      assert.match(JSON.stringify(logged.find(trace)), /saboteur\.ts/);
      assert.match(await another.client.say('USER alice'), /^\+OK/);
      await another.client.ask(`PASS ${password}`);
      await another.client.quit();
      one.client.destroy();
      for (const { client } of await greetAll(where)) client.destroy();
      other = await served.logIn(bob);
      assert.deepEqual(await served.pidsOf(/^popper: (auth|locker)/), auth);
      assert.equal(await workerOf(bob), ofBob);
    });
  }

  test('which throws in the process of a user costs one answer there, and the log names plugin and command', async () => {
    const client = await served.logIn(alice);
    const worker = await workerOf(alice);
    const [record] = await loggedBy(
      async () => assert.match(await client.say('X-THROW'), /^-ERR \[SYS\/TEMP\] internal error/),
      ({ pid, level }) => pid === worker && level === 'error',
    );
    assert.match(JSON.stringify(record), /plugin saboteur, command X-THROW: a fault/);
    for (const one of [client, other]) await one.ask('NOOP');
    await client.quit();
    assert.equal(await workerOf(alice), worker);
  });

  test('which throws in the process that checks passwords costs one answer, and the log names plugin and hook', async () => {
    const standing = await pillars();
    const logged = await loggedBy(
      async () => {
        const { client, answer } = await served.tryToLogIn({ name: 'X-THROW' });
        assert.match(answer, /^-ERR \[SYS\/TEMP\] the login cannot be checked now/);
        client.destroy();
      },
      ({ level }) => level === 'error',
    );
    assert.match(JSON.stringify(logged), /plugin saboteur, hook authenticate: a fault/);
    await (await served.logIn(alice)).quit();
    assert.deepEqual(await pillars(), standing);
  });
});

function ended({ msg }: LoggedRecord): boolean {
  return msg === 'something ended the process';
}

function leaked({ msg }: LoggedRecord): boolean {
  return msg.startsWith('an error that nobody caught');
}

function blocked({ msg }: LoggedRecord): boolean {
  return msg === 'something blocks all sessions';
}
