import assert from 'node:assert/strict';
import { chmod, chown, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { until } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import { burglar, frontUser, ServedSite } from './support/served-site.ts';
import { alice } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';
/** An account that every Debian has. */
const checker = { name: 'backup', uid: 34, gid: 34 };

describe("passwords that an account checks with isolation: 'user'", { skip }, () => {
  let served: ServedSite;
  const passwords = (): string => join(served.site.folder, 'passwd');

  before(async () => {
    served = await ServedSite.make([alice], { config: { authUser: checker.name } });
    const files = { shadow: '/etc/shadow', passwords: passwords(), mail: served.site.mboxOf(alice) };
    const store = ['store-mbox', { spool: join(served.site.spool, '{user}'), lockMethods: ['fcntl'] }];
    await served.configure({
      authUser: checker.name,
      plugins: [['auth-passwd', { file: 'passwd' }], store, [burglar, { files }]],
    });
    await served.site.deliver(alice, mboxOf(plainMail));
    await chown(passwords(), checker.uid, checker.gid);
    await served.start();
  });
  after(async () => assert.equal(await served.end(), 0));

  test('are checked without any right of root, and without reach to more than the password file', async () => {
    const client = await served.logIn(alice);
    assert.match(await client.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
    await client.quit();
    const [auth = 0] = await served.pidsOf(/^popper: auth/);
    const status = await readFile(`/proc/${auth}/status`, 'latin1');
    assert.match(status, /^Uid:\t34\t34\t34\t34\nGid:\t34\t34\t34\t34\n/m);
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    const { opened } = await served.running.logged((record) => record['role'] === 'auth');
    assert.deepEqual(opened, ['passwords']);
  });

  test('are checked by such a process again where one dies', async () => {
    const [auth = 0] = await served.pidsOf(/^popper: auth/);
    process.kill(auth, 'SIGKILL');
    await until(async () => {
      const { client, answer } = await served.tryToLogIn(alice);
      await client.quit();
      return answer.startsWith('+OK');
    });
    const [next = 0] = await served.pidsOf(/^popper: auth/);
    assert.match(await readFile(`/proc/${next}/status`, 'latin1'), /^Uid:\t34\t/m);
  });

  test('are found by popper check to lie in a file that the account can read, or not', async () => {
    assert.match(await served.ask('check'), new RegExp(`^ok: auth-passwd: ${passwords()}: 1 user$`, 'm'));
    await chown(passwords(), 0, 0);
    assert.match(
      await served.ask('check'),
      new RegExp(
        `^problem: auth-passwd: ${passwords()}: backup, who checks passwords, cannot read it \\(EACCES\\)$`,
        'm',
      ),
    );
    await chown(passwords(), checker.uid, checker.gid);
  });

  test('have a reload refused, with the file, where the account cannot read it', async () => {
    await chown(passwords(), 0, 0);
    served.running.signal('SIGHUP');
    const record = await served.running.logged(({ msg }) => msg.startsWith('the reload failed'));
    assert.match(JSON.stringify(record['error']), /passwd/);
    await chown(passwords(), 0, checker.gid);
    await chmod(passwords(), 0o640);
    served.running.signal('SIGHUP');
    await served.running.logged(({ msg, generation }) => msg === 'listening' && generation !== 1);
    await (await served.logIn(alice)).quit();
  });

  for (const [what, authUser, minUid, reason] of [
    [
      'has mail',
      checker.name,
      checker.uid,
      /authUser: backup has uid 34, and who has mail \(from minUid 34 on\)/,
    ],
    ['fronts are', frontUser.name, 1000, /authUser: nobody is who fronts run as/],
  ] as const) {
    test(`are not checked by an account that ${what}, which could look into what checks them`, async () => {
      const other = await ServedSite.make([alice], { config: { authUser, minUid } });
      try {
        await assert.rejects(other.start(), reason);
      } finally {
        await other.end();
      }
    });
  }
});
