import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { DatagramReader } from '../../core/server/testing/datagram-reader.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { needs, run } from './support/program.ts';
import { freePort } from './support/real-inetd.ts';
import { makeSite, type Site } from './support/site.ts';
import { popper, SmallInetd } from './support/small-inetd.ts';

const canUnshare = spawnSync('unshare', ['--mount', '--map-root-user', 'true']).status === 0;
const withSyslog = { skip: !canUnshare && 'needs mount name spaces' };

interface Machine {
  readonly site: Site;
  readonly syslog: DatagramReader;
  /** Becomes a program that has this syslog behind /dev/log. */
  readonly launcher: readonly string[];
}

async function machineWithSyslog(t: TestContext, config: object): Promise<Machine> {
  const site = await makeSite(t);
  const whole = {
    listen: [{ port: 110 }],
    stateDir: 'state',
    plugins: [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: join(site.folder, 'spool/{user}') }],
    ],
    ...config,
  };
  await writeFile(site.configFile, JSON.stringify(whole), { mode: 0o600 });
  const devices = join(site.folder, 'dev');
  await mkdir(devices);
  await writeFile(join(devices, 'null'), '');
  const syslog = await DatagramReader.open(join(devices, 'log'));
  t.after(() => syslog.close());
  const script = 'mount --bind /dev/null "$0/null"; mount --rbind "$0" /dev; exec "$@"';
  const launcher = ['unshare', '--mount', '--map-root-user', 'sh', '-ec', script, devices];
  return { site, syslog, launcher };
}

for (const [what, config, args, reason] of [
  ['a mistake in it', { listen: 'everywhere' }, [], / popper\[\d+\]: .*popper\.config\.json.*listen: /],
  ['a folder for state that is none', { stateDir: 'passwd' }, [], / popper\[\d+\]: popper: cannot start: /],
  [
    'an account that is not there',
    { isolation: 'user', user: 'nobody-of-that-name' },
    [],
    / popper\[\d+\]: popper: cannot start: /,
  ],
  ['no certificate for --tls', {}, ['--tls'], / popper\[\d+\]: popper: cannot start: --tls: there is no/],
  ['an option that is none', {}, ['--outetd'], / popper\[\d+\]: popper: --inetd goes with serve/],
] as const) {
  test(
    `where the configuration has ${what}, inetd's operator reads why in the syslog`,
    withSyslog,
    async (t) => {
      const { site, syslog, launcher } = await machineWithSyslog(t, config);
      const inetd = await SmallInetd.start(t, { launcher, args: ['-c', site.configFile, ...args] });
      await (await Pop3Client.connect(inetd.where)).rest();
      assert.equal(await (await inetd.last()).exited, 1);
      await syslog.with(reason);
    },
  );
}

test('what can be served is not told of: the log has it, where there is one', withSyslog, async (t) => {
  const { site, syslog, launcher } = await machineWithSyslog(t, { log: { level: 'debug' } });
  const inetd = await SmallInetd.start(t, { launcher, args: ['-c', site.configFile] });
  const client = await Pop3Client.connect(inetd.where);
  await client.line();
  await client.ask('QUIT');
  assert.equal(await (await inetd.last()).exited, 0);
  assert.deepEqual(syslog.read, []);
});

test(
  'wait for nowait in inetd.conf: the syslog says so, for standard error is the socket that waits',
  { skip: withSyslog.skip || needs('systemd').skip },
  async (t) => {
    const { site, syslog, launcher } = await machineWithSyslog(t, {});
    const port = await freePort();
    const shell = ['sh', '-c', 'exec "$0" "$@" 2>&0', ...launcher, process.execPath, popper];
    const line = ['--inetd', `--listen=127.0.0.1:${port}`, ...shell, '--inetd', '-c', site.configFile];
    const started = run('systemd-socket-activate', line, { home: site.folder, fine: [1] });
    for (let client; client === undefined;)
      client = await Pop3Client.connect({ host: '127.0.0.1', port }).catch(() => undefined);
    await started;
    await syslog.with(/cannot start: standard input is a socket that waits for clients.*nowait/);
  },
);
