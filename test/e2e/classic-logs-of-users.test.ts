import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ServedSite } from '../users/support/served-site.ts';
import { alice } from '../users/support/site.ts';
import { mboxOf, plainMail } from './support/mail.ts';
import { needs } from './support/program.ts';
import { Rsyslog } from './support/rsyslog.ts';

const skip = process.getuid?.() === 0 ? needs('rsyslog').skip : 'only root can serve users as themselves';

test("with isolation: 'user', fronts and the processes of users all write to syslog", { skip }, async (t) => {
  const served = await ServedSite.make([alice]);
  const rsyslog = new Rsyslog(served.site.folder);
  t.after(() => served.end());
  t.after(() => rsyslog.stop());
  await rsyslog.start();
  await served.site.deliver(alice, mboxOf(plainMail));
  const { spool } = served.site;
  await served.configure({
    logStyle: 'classic',
    plugins: [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: `${spool}/{user}`, lockMethods: ['fcntl'] }],
      'statistics',
      ['log-syslog', { to: rsyslog.socket, level: 'debug' }],
    ],
  });
  await served.start();
  const client = await served.logIn(alice);
  assert.match(await client.say('RETR 99'), /^-ERR/);
  await client.ask('DELE 1');
  await client.quit();
  const lines = (await rsyslog.with(/Stats:/)).join('\n');
  assert.match(lines, /^local0\.notice popper -: \(v[^)]+\) POP login by user "alice" at \(127\.0\.0\.1\)/m);
  // These two are said by the process that is alice.
  assert.match(lines, /^local0\.debug popper -: Received \(7\): "RETR 99"$/m);
  assert.match(lines, /^local0\.notice popper -: there is no message 99$/m);
  assert.match(lines, /^local0\.notice popper -: Stats: alice 1 \d+ 7 \d+$/m);
});
