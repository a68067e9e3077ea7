import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { DatagramReader } from '../../core/server/testing/datagram-reader.ts';
import type { Daemon } from '../e2e/support/daemon.ts';
import { plainMail, putMail } from '../e2e/support/mail.ts';
import { logIn, makeSite, type Site, type SiteOptions } from '../e2e/support/site.ts';
import { asRoot, confined, filtered, whole } from './sandbox.ts';
import { Unit } from './unit.ts';

/** Whom the unit's User= is here; no account is needed for a number. */
const uid = 2003;

/** A program that opens such a socket. */
const socketOf = (family: string) => [
  'python3',
  '-c',
  `import socket; socket.socket(socket.${family}, socket.SOCK_RAW)`,
];

test('the filter ends what it forbids, in a program that may do everything else', whole, () => {
  const [program = '', ...args] = filtered(new Unit('popper.service'));
  assert.equal(spawnSync(program, [...args, 'true']).status, 0);
  assert.equal(spawnSync(program, [...args, 'chroot', '/', 'true']).signal, 'SIGSYS');
  assert.equal(spawnSync(program, [...args, ...socketOf('AF_NETLINK')]).signal, 'SIGSYS');
  assert.notEqual(spawnSync(program, [...args, ...socketOf('AF_INET')]).signal, 'SIGSYS');
});

const shapes: readonly (readonly [what: string, config: Readonly<Record<string, unknown>>])[] = [
  ['one process', { fronts: 1 }],
  ['a master and its fronts', { fronts: 2 }],
];

const unit = new Unit('popper.service');

for (const [what, config] of shapes) {
  test(`${what}: all is done with the system calls of popper.service`, whole, async (t) => {
    const { site, daemon } = await started(t, { config, launcher: () => filtered(unit) });
    await use(site, daemon.where);
    if (config['fronts'] === 2) {
      daemon.signal('SIGHUP');
      await daemon.logged(({ msg, generation }) => msg === 'listening' && generation === 2);
      await use(site, daemon.where);
    }
    assert.equal(await daemon.stop(), 0);
    assert.ok(!daemon.records.some(({ msg }) => msg === 'a front died'));
  });

  test(
    `${what}: port 110 is served with the rights of popper.service, and only state and spool are written to`,
    asRoot,
    async (t) => {
      const place = { host: '127.0.67.110', port: 110 };
      const address = `@popper-in-unit-${process.pid}`;
      const manager = await DatagramReader.open(address);
      t.after(() => manager.close());
      const { site, daemon } = await started(t, {
        config: { ...config, listen: [place] },
        launcher: (made) => ['env', `NOTIFY_SOCKET=${address}`, ...confined(unit, made, uid)],
      });
      const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
      assert.match(status, new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s`, 'm'));
      assert.match(status, /^CapEff:\s+0000000000000400$/m, 'CAP_NET_BIND_SERVICE alone');
      assert.match(status, /^Seccomp:\s+2$/m);
      assert.equal(writesInside(daemon, site.configFile), false);
      assert.equal(writesInside(daemon, join(site.folder, 'state/by-hand')), true);
      await use(site, place, uid);
      assert.equal((await manager.with('READY=1')).pid, daemon.pid);
      assert.equal(await daemon.stop(), 0);
    },
  );
}

/** Whether a file can be written where the daemon sees the file system, by root even. */
const writesInside = ({ pid }: Daemon, file: string): boolean =>
  spawnSync('nsenter', [`--target=${pid}`, '--mount', 'touch', file]).status === 0;

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Whole sessions, one of which removes a message. */
async function use(site: Site, where: Place, owner?: number): Promise<void> {
  await putMail(site.mboxOf('alice'), plainMail);
  if (owner !== undefined) chownSync(site.mboxOf('alice'), owner, owner);
  const session = await logIn(where);
  await session.askOctets('RETR 1');
  await session.ask('DELE 1');
  await session.quit();
  const again = await logIn(where);
  assert.match(await again.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length - 1} `));
  await again.quit();
}

interface Started extends SiteOptions {
  readonly launcher: (site: Site) => readonly string[];
}

async function started(t: TestContext, { launcher, ...options }: Started) {
  const site = await makeSite(t, options);
  await mkdir(join(site.folder, 'state'), { mode: 0o711 });
  return { site, daemon: await site.start(0, launcher(site)) };
}
