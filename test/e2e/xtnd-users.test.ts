import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { ServedSite } from '../users/support/served-site.ts';
import { alice } from '../users/support/site.ts';
import { mboxOf, plainMail } from './support/mail.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

let served: ServedSite | undefined;
after(async () => {
  await served?.end();
});

test("with isolation: 'user' it is the user who lists headers and who sends", { skip }, async () => {
  served = await ServedSite.make([alice]);
  const out = join(served.site.folder, 'out');
  const command = join(served.site.folder, 'sendmail');
  await mkdir(out);
  await chmod(out, 0o1777);
  await writeFile(
    command,
    `#!/bin/sh\nid -u > ${out}/uid; printf '%s ' "$@" > ${out}/words; cat > ${out}/text\n`,
  );
  await chmod(command, 0o755);
  await served.site.deliver(alice, mboxOf(plainMail.slice(0, 2)));
  const spool = join(served.site.spool, '{user}');
  await served.configure({
    plugins: [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool, lockMethods: ['fcntl'] }],
      'xtnd-xlist',
      ['xtnd-xmit', { domain: 'example.org', transport: { kind: 'sendmail', command } }],
    ],
  });
  await served.start();
  const client = await served.logIn(alice);
  assert.deepEqual(await client.askLines('XTND XLST Subject'), [
    '1 Subject: an ordinary message',
    '2 Subject: lines of dots',
  ]);
  assert.equal(await client.ask('XTND XMIT'), '+OK Start sending the message.');
  client.send('To: bob@example.net\r\n\r\n..\r\nhello\r\n.\r\nSTAT\r\n');
  assert.equal(await client.line(), '+OK Message sent successfully');
  assert.match((await client.line()) ?? '', /^\+OK 2 /);
  await client.quit();

  assert.equal(await readFile(join(out, 'uid'), 'utf8'), `${alice.uid}\n`);
  assert.match(await readFile(join(out, 'words'), 'utf8'), /-f alice@example\.org -- bob@example\.net $/);
  assert.match(await readFile(join(out, 'text'), 'utf8'), /^To: bob@example\.net\n\n\.\nhello\n/m);
  const state = join(served.site.stateDir, String(alice.uid), 'xtnd-xmit');
  assert.deepEqual(await readdir(join(state, 'spool')), []);
  const { uid, mode } = await stat(join(state, 'rates/alice.sent'));
  assert.deepEqual([uid, mode & 0o777], [alice.uid, 0o600]);
});
