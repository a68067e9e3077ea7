import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { type Flags, noFlags } from '../../core/config/flags.ts';
import { loadConfig } from '../../core/config/load-config.ts';
import { classicConfig, ClassicSite, skipsClassic } from './support/classic-site.ts';
import type { Daemon, LoggedRecord } from './support/daemon.ts';
import { until } from './support/fronts.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { password } from './support/site.ts';
import { SmallInetd } from './support/small-inetd.ts';

/** What the example makes of a command line. */
async function made(flags: Partial<Flags>) {
  const { settings, plugins, log } = await loadConfig({
    file: classicConfig,
    flags: { ...noFlags, ...flags },
  });
  return { settings, log, names: plugins.map(({ name }) => name) };
}

test('docs/examples/classic.config.ts is the classic server', async () => {
  const { settings, log, names } = await made({});
  const { listen, isolation, replies, logStyle, maxAuthFailures, idleTimeoutMs } = settings;
  assert.deepEqual(listen, [{ port: 110 }, { port: 109 }]);
  assert.deepEqual(
    { isolation, replies, logStyle, maxAuthFailures, idleTimeoutMs, log: log.level },
    {
      isolation: 'user',
      replies: 'classic',
      logStyle: 'classic',
      maxAuthFailures: 1,
      idleTimeoutMs: 600_000,
      log: 'info',
    },
  );
  for (const name of [
    'auth-shadow',
    'store-mbox',
    'log-syslog',
    'xtnd-xlist',
    'xtnd-xmit',
    'last',
    'peer-check',
  ])
    assert.ok(names.includes(name), name);
  assert.ok(!names.includes('bulletins') && !names.includes('statistics'));
  assert.equal(settings.socketDebug, false);
});

test('each of the classic flags turns on in it what it turned on', async () => {
  const debug = await made({ debug: true });
  assert.deepEqual([debug.settings.socketDebug, debug.log.level], [true, 'debug']);
  assert.ok((await made({ statistics: true })).names.includes('statistics'));
  assert.ok((await made({ bulletins: '/var/spool/bulletins' })).names.includes('bulletins'));
  assert.equal((await made({ timeoutSeconds: 30 })).settings.idleTimeoutMs, 30_000);
  assert.equal((await made({ trace: '/var/log/popper.trace' })).log.level, 'debug');
  await assert.rejects(made({ kerberos: true }), /-k asks for Kerberos/);
});

describe('popper trace, for a daemon that runs', { skip: skipsClassic }, () => {
  let site: ClassicSite;
  let daemon: Daemon;
  before(async () => {
    site = await ClassicSite.make();
    daemon = await site.start();
  });
  after(() => site.end());

  const shown = (): readonly string[] =>
    daemon.records.filter(isOfTrace).map(({ msg, user, text }) => `${msg} ${String(user)} ${String(text)}`);

  test('shows a user, in a session that is open as well as in new ones, until it is turned off', async () => {
    const open = await Pop3Client.loggedIn(daemon.where, 'alice', password);
    assert.match((await site.run('trace', 'alice')).stdout.toString(), /^user alice is traced until /);
    await until(async () => {
      await open.ask('NOOP');
      return shown().length > 0;
    });
    await open.quit();
    const other = await Pop3Client.loggedIn(daemon.where, 'bob', password);
    await other.quit();
    const next = await Pop3Client.loggedIn(daemon.where, 'alice', password);
    await next.ask('STAT');
    await next.quit();
    await daemon.logged((record) => isOfTrace(record) && record['text'] === 'STAT');
    assert.deepEqual(
      shown().filter((line) => /bob|PASS [^*]/.test(line)),
      [],
    );
    assert.ok(shown().includes('received alice PASS ***'));
    assert.equal((await site.run('trace', 'alice', '--off')).exitCode, 0);
    assert.match((await site.run('trace', '--list')).stdout.toString(), /^nobody is traced$/m);
  });

  test('shows an address, in a process that inetd has started, too', async (t) => {
    assert.equal((await site.run('trace', '127.0.0.1', '--minutes', '5')).exitCode, 0);
    const inetd = await SmallInetd.start(t, { args: ['-c', site.configFile], errors: 'operator' });
    const client = await Pop3Client.loggedIn(inetd.where, 'alice', password);
    await client.ask('NOOP');
    await client.quit();
    const said = await (await inetd.last()).said;
    for (const text of ['USER alice', 'PASS ***', 'NOOP'])
      assert.ok(said.includes(`"text":"${text}","msg":"received"`), `${text} is not in ${said}`);
    assert.equal((await site.run('trace', '127.0.0.1', '--off')).exitCode, 0);
  });
});

const isOfTrace = ({ plugin, msg }: LoggedRecord): boolean =>
  plugin === 'trace' && (msg === 'received' || msg === 'sent');
