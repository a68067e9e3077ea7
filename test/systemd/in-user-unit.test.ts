import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { until } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import { ServedSite } from '../users/support/served-site.ts';
import { alice, bob } from '../users/support/site.ts';
import { asRoot, confined } from './sandbox.ts';
import { Unit } from './unit.ts';

const unit = new Unit('popper-user.service');
const group = Number(spawnSync('getent', ['group', 'mail'], { encoding: 'utf8' }).stdout.split(':')[2]);

/** A spool as Debian has it, with mail for alice, and a daemon over it with the unit's rights. */
async function served(t: TestContext, before: (site: ServedSite) => Promise<void> = async () => {}) {
  const site = await ServedSite.make([alice, bob]);
  t.after(() => site.end());
  const { spool } = site.site;
  await chown(spool, 0, group);
  await chmod(spool, 0o2775);
  await site.deliverForMail(alice, mboxOf(plainMail), group);
  // With the locks that programs on such a spool take: the dotlock needs a process in group mail.
  const plugins = [
    ['auth-passwd', { file: 'passwd' }],
    ['store-mbox', { spool: join(spool, '{user}') }],
  ];
  const listen = [{ host: '127.0.67.111', port: 110 }];
  await site.configure({ plugins, listen, blockedTimeoutMs: 1500 });
  await before(site);
  return { site, daemon: await site.start(confined(unit, site.site)) };
}

test(
  'users are served on port 110 by processes that are they, with what popper-user.service leaves to root',
  asRoot,
  async (t) => {
    const { site, daemon } = await served(t);
    const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
    // chown, dac_read_search, kill, setgid, setuid, net_bind_service
    assert.match(status, /^CapEff:\s+00000000000004e5$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
    const [one, other] = [await site.logIn(alice), await site.logIn(bob)];
    assert.equal((await site.workersOf(alice)).length, 1);
    await one.askOctets('RETR 1');
    await one.ask('DELE 1');
    await one.quit();
    await other.quit();
    assert.equal(await site.site.mailOf(alice), mboxOf(plainMail.slice(1)).toString('latin1'));
    daemon.signal('SIGHUP');
    await daemon.logged(({ msg, generation }) => msg === 'listening' && generation === 2);
    assert.match(await (await site.logIn(alice)).quit(), /^\+OK/);
    assert.equal(await daemon.stop(), 0);
  },
);

test('a front that blocks can be ended, though it is somebody else', asRoot, async (t) => {
  const { site, daemon } = await served(t);
  const [front] = await site.pidsOf(/^popper: front/);
  assert.ok(front !== undefined);
  process.kill(front, 'SIGSTOP');
  await daemon.logged(({ msg, child }) => msg === 'a front died' && child === front);
  await until(async () => (await site.pidsOf(/^popper: front/)).length === 2);
});

test('what a dead process left half done is seen in a folder that is closed to others', asRoot, async (t) => {
  const { daemon } = await served(t, async ({ site }) => {
    const folder = join(site.stateDir, String(alice.uid));
    await mkdir(join(folder, 'journals'), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'journals/some.j'), 'x'.repeat(5000));
    for (const path of ['', 'journals', 'journals/some.j'])
      await chown(join(folder, path), alice.uid, alice.gid);
  });
  await daemon.logged(({ msg }) => msg === 'dead processes have left something half done');
});
