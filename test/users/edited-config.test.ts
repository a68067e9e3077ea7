import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';

import { until } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import { ServedSite } from './support/served-site.ts';
import { alice, bob, type User } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

describe("a configuration that is edited, with isolation: 'user'", { skip }, () => {
  const config = { workers: { spares: 0 } };
  let served: ServedSite;

  before(async () => {
    served = await ServedSite.make([alice, bob], { config });
    for (const user of [alice, bob]) await served.site.deliver(user, mboxOf(plainMail));
    await served.start();
  });
  afterEach(() => served.configure(config));
  after(async () => assert.equal(await served.end(), 0));

  const comesIn = async (user: User): Promise<void> => {
    const client = await served.logIn(user);
    assert.match(await client.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
    await client.quit();
  };

  test('keeps nobody out for whom a process has to be started, though it is spoilt and its reload was refused', async () => {
    await writeFile(served.configFile, '{ "listen"');
    served.running.signal('SIGHUP');
    await served.running.logged(({ msg }) => msg.startsWith('the reload failed'));
    assert.deepEqual(await served.workersOf(alice), []);
    await comesIn(alice);
  });

  test('is nothing to processes that are started before it is reloaded, whatever they are for', async () => {
    await served.configure({ ...config, minUid: bob.uid + 1, plugins: [['auth-passwd', { file: 'gone' }]] });
    const pillars = /^popper: (front|auth|locker)/;
    const old = await served.pidsOf(pillars);
    for (const pid of old) process.kill(pid, 'SIGKILL');
    await until(async () => {
      const fresh = (await served.pidsOf(pillars)).filter((pid) => !old.includes(pid));
      return fresh.length === old.length;
    });
    // Until they know one another, a login may be told to come again.
    await until(async () => {
      const { client, answer } = await served.tryToLogIn(bob);
      await client.quit();
      return answer.startsWith('+OK');
    });
    await comesIn(bob);
  });
});
