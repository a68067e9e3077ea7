import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { needs, run } from './support/program.ts';
import { Rsyslog } from './support/rsyslog.ts';
import { logIn, makeSite, type Site } from './support/site.ts';

test(
  'the lines of the classic popper are in syslog word for word, also when it was restarted meanwhile',
  needs('rsyslog'),
  async (t) => {
    const { site, rsyslog } = await begin(t);
    await rsyslog.start();
    const daemon = await site.start();
    const guesser = await Pop3Client.connect(daemon.where);
    await guesser.line();
    await guesser.ask('USER alice');
    assert.match(await guesser.say('PASS hunter-two'), /^-ERR/);
    await guesser.ask('USER alice');
    await guesser.quit();
    await rsyslog.with(/Possible probe/);
    await rsyslog.stop();
    const reader = await logIn(daemon.where);
    await reader.ask('DELE 1');
    await reader.quit();
    await daemon.logged(({ msg }) => msg.startsWith('Stats:'));
    await rsyslog.start();
    const lines = await rsyslog.with(/Stats:/);
    await daemon.stop();
    const about = lines.filter((line) => !/: (?:listening|too few|syslog) /.test(line));
    const host = '127.0.0.1';
    assert.deepEqual(
      about.map((line) => line.replace(/\(v[^)]*\)/, '(vV)').replace(/\d+ \d+ \d+ \d+$/, 'D DB L LB')),
      [
        `local0.warning popper -: Failed attempted login to alice from host ${host}`,
        'local0.notice popper -: [AUTH] login refused',
        `local0.notice popper -: Possible probe of account alice from host ${host} (${host})`,
        `local0.notice popper -: (vV) POP login by user "alice" at (${host}) ${host}`,
        'local0.notice popper -: Stats: alice D DB L LB',
      ],
    );
    assert.match(lines.join('\n'), /Stats: alice 1 \d+ 7 \d+$/m);
    assert.doesNotMatch(lines.join('\n'), /hunter-two/);
  },
);

// A filter as sites have it that came from the classic popper.
const failregex = String.raw`popper(?:\[\d+\])?: (?:\[AUTH\] )?Failed attempted login to \S+ from host <HOST>\s*$`;

test(
  'fail2ban finds a guesser by a filter for the classic popper',
  needs('rsyslog', 'fail2ban'),
  async (t) => {
    const { site, rsyslog } = await begin(t);
    await rsyslog.start();
    const daemon = await site.start();
    const guesser = await Pop3Client.connect({ ...daemon.where, localAddress: '127.0.0.9' });
    await guesser.line();
    for (const user of ['alice', 'root', 'x%20from%20host%20198.51.100.1']) {
      await guesser.ask(`USER ${user}`);
      assert.match(await guesser.say('PASS hunter-two'), /^-ERR/);
    }
    await (await logIn(daemon.where)).quit();
    await rsyslog.with(/Stats:/);
    await daemon.stop();
    await rsyslog.stop();
    const { stdout } = await run('fail2ban-regex', ['-o', 'ip', rsyslog.file, failregex], {
      home: site.folder,
    });
    assert.deepEqual(
      stdout.toString().trim().split('\n'),
      Array.from({ length: 3 }, () => '127.0.0.9'),
    );
  },
);

test('a syslog over TCP gets the fields of each record as structured data', needs('rsyslog'), async (t) => {
  const rsyslog = await rsyslogOf(t);
  await rsyslog.start();
  const to = `tcp://127.0.0.1:${await rsyslog.port()}`;
  const { site } = await begin(t, { logStyle: 'plain' }, { to, level: 'debug' });
  const daemon = await site.start();
  await (await logIn(daemon.where)).quit();
  const lines = await rsyslog.with(/: session$/);
  await daemon.stop();
  const told = lines.find((line) => line.endsWith(': session')) ?? '';
  assert.match(told, /^local0\.notice popper \[popper@32473 session="[\d-]+" address="127\.0\.0\.1" /);
  assert.match(told, / user="alice" ending="quit" .*left\.messages="8"/);
  assert.ok(lines.some((line) => /^local0\.debug .*: connected$/.test(line)));
});

async function rsyslogOf(t: TestContext): Promise<Rsyslog> {
  const { folder } = await makeSite(t);
  const rsyslog = new Rsyslog(folder);
  t.after(() => rsyslog.stop());
  return rsyslog;
}

/** A site with mail that logs to a syslog, by default to one of its own. */
async function begin(
  t: TestContext,
  config: Readonly<Record<string, unknown>> = { logStyle: 'classic' },
  sink?: Readonly<Record<string, unknown>>,
): Promise<{ readonly site: Site; readonly rsyslog: Rsyslog }> {
  const rsyslog = await rsyslogOf(t);
  const plugins = [
    ['auth-passwd', { file: 'passwd' }],
    ['store-mbox', { spool: 'spool/{user}' }],
    'statistics',
    'peer-check',
    ['log-syslog', sink ?? { to: rsyslog.socket }],
  ];
  const site = await makeSite(t, { config: { plugins, ...config } });
  await putMail(site.mboxOf('alice'), plainMail);
  return { site, rsyslog };
}
