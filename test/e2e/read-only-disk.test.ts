import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';

import { onWire, plainMail, putMail } from './support/mail.ts';
import { asRoot, mounted } from './support/mounting.ts';
import { logIn, makeSite } from './support/site.ts';

const run = promisify(execFile);

test('mail on a read-only file system is served, and DELE is told that it stays', asRoot, async (t) => {
  const spool = await mounted(t, () => fileSystem(t));
  if (spool === undefined) return;
  const mbox = join(spool, 'alice');
  await putMail(mbox, plainMail);
  const before = await readFile(mbox);
  const site = await makeSite(t, { store: { spool: join(spool, '{user}') } });
  const daemon = await site.start();
  await run('mount', ['-o', 'remount,ro', spool]);

  const session = await logIn(daemon.where);
  assert.match(await session.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
  assert.ok((await session.askOctets('RETR 1')).equals(onWire(plainMail[0]?.octets ?? Buffer.alloc(0))));
  for (const number of [1, 2])
    assert.equal(await session.say(`DELE ${number}`), '-ERR [SYS/PERM] the maildrop may not be changed');
  assert.match(await session.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
  assert.match(await session.ask('QUIT'), /^\+OK/);
  assert.ok((await readFile(mbox)).equals(before));
  assert.equal(daemon.said.match(/DELE: the maildrop may not be changed/g)?.length, 1, daemon.said);

  await run('mount', ['-o', 'remount,rw', spool]);
  const next = await logIn(daemon.where);
  assert.match(await next.ask('DELE 1'), /^\+OK/);
  assert.match(await next.ask('QUIT'), /^\+OK/);
  assert.ok((await readFile(mbox)).length < before.length);
});

/** A file system of its own. Throws where there can be none. */
async function fileSystem(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-read-only-'));
  t.after(async () => {
    // Lazily: a daemon that is still at its end may have a file open. It was not mounted where that failed.
    await run('umount', ['--lazy', folder]).catch(() => {});
    await rmdir(folder);
  });
  await run('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0755', 'popper-test', folder]);
  return folder;
}
