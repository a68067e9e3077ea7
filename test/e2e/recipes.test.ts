import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Daemon } from './support/daemon.ts';
import { mboxOf, plainMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { run } from './support/program.ts';

// The two recipes of docs/guide/five-minutes.md, section 6: who owns what, and as whom the daemon runs.

const asRoot = { skip: process.getuid?.() !== 0 && 'needs root, to run a daemon as another user' };
/** Numbers do: nothing here looks them up. */
const popper = 4991;
const user = { uid: 5991, gid: 5992 };
const groups = { mail: 4992, shadow: 4993 };
const secret = 'correct horse';
const launcher = ['env', 'HOME=/nonexistent', 'setpriv', `--reuid=${popper}`, `--regid=${popper}`];

interface Recipe {
  readonly folder: string;
  readonly mbox: string;
  readonly start: (args: readonly string[]) => Promise<Daemon>;
}

/** A spool with one user's mail, and a folder for state that is the daemon's. */
async function recipeOf(
  t: TestContext,
  plugins: readonly (readonly [name: string, options: object])[],
): Promise<Recipe> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-recipe-'));
  t.after(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'state'), { mode: 0o711 });
  await chown(join(folder, 'state'), popper, popper);
  await mkdir(join(folder, 'mail'));
  const config = { listen: [{ host: '127.0.0.1', port: 0 }], stateDir: 'state', fronts: 1, plugins };
  const file = join(folder, 'popper.config.json');
  await writeFile(file, JSON.stringify({ ...config, log: { format: 'json' } }));
  return {
    folder,
    mbox: join(folder, 'mail/me'),
    async start(args) {
      const daemon = await Daemon.start(file, undefined, [...launcher, ...args, '--']);
      t.after(() => daemon.kill());
      return daemon;
    },
  };
}

/** Deletes everything. */
async function empty(daemon: Daemon): Promise<void> {
  const client = await Pop3Client.loggedIn(daemon.where, 'me', secret);
  for (const index of plainMail.keys()) assert.match(await client.ask(`DELE ${index + 1}`), /^\+OK/);
  await client.quit();
  assert.equal(await daemon.stop(), 0);
}

test(
  'users of the system: a daemon of the groups mail and shadow empties mboxes that stay theirs',
  asRoot,
  async (t) => {
    const { folder, mbox, start } = await recipeOf(t, [
      ['auth-shadow', { passwd: 'passwd', shadow: 'shadow' }],
      ['store-mbox', { spool: 'mail/{user}' }],
    ]);
    await chown(join(folder, 'mail'), 0, groups.mail);
    await chmod(join(folder, 'mail'), 0o2775);
    await writeFile(mbox, mboxOf(plainMail));
    await chown(mbox, user.uid, groups.mail);
    await chmod(mbox, 0o660);
    const hash = await run('openssl', ['passwd', '-6', secret], { home: folder });
    await writeFile(join(folder, 'passwd'), `me:x:${user.uid}:${user.gid}::/home/me:/bin/sh\n`);
    await writeFile(join(folder, 'shadow'), `me:${hash.stdout.toString().trim()}:20000:0:99999:7:::\n`);
    await chown(join(folder, 'shadow'), 0, groups.shadow);
    await chmod(join(folder, 'shadow'), 0o640);
    await empty(await start([`--groups=${groups.mail},${groups.shadow}`]));
    const { uid, gid, mode, size } = await stat(mbox);
    assert.deepEqual(
      { uid, gid, mode: mode & 0o777, size },
      { uid: user.uid, gid: groups.mail, mode: 0o660, size: 0 },
    );
  },
);

test(
  "users of popper's own: a daemon empties mboxes of a spool that is its own, by a password file of root's",
  asRoot,
  async (t) => {
    const { folder, mbox, start } = await recipeOf(t, [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: 'mail/{user}' }],
    ]);
    await chown(join(folder, 'mail'), popper, popper);
    await chmod(join(folder, 'mail'), 0o700);
    await writeFile(mbox, mboxOf(plainMail), { mode: 0o600 });
    await chown(mbox, popper, popper);
    const passwords = join(folder, 'passwd');
    await writeFile(passwords, `me:{PLAIN}${secret}\n`);
    await chown(passwords, 0, popper);
    await chmod(passwords, 0o640);
    await empty(await start(['--clear-groups']));
    assert.equal((await readFile(mbox)).length, 0);
  },
);
