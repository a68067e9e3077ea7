import assert from 'node:assert/strict';
import { chmod, chown, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ServedSite } from '../users/support/served-site.ts';
import { alice, bob, type User } from '../users/support/site.ts';
import { password } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

const bulletin = (subject: string): string =>
  `From postmaster Mon Nov  2 10:00:00 2026\nTo: all\nSubject: ${subject}\n\nnews\n`;

describe("users of the system, with isolation: 'user' and .popbull in their homes", { skip }, () => {
  let served: ServedSite;
  const homeOf = ({ name }: User): string => join(served.site.folder, 'homes', name);
  const counterOf = (user: User): string => join(homeOf(user), '.popbull');
  const put = async (name: string, mode = 0o644): Promise<void> => {
    const path = join(served.site.folder, 'bulletins', name);
    await writeFile(path, bulletin(name));
    await chmod(path, mode);
  };

  before(async () => {
    const options = { folder: 'bulletins', counters: 'home', host: 'example.org' };
    served = await ServedSite.make([], { plugins: [['bulletins', options]] });
    const { folder } = served.site;
    for (const name of ['bulletins', 'homes']) {
      await mkdir(join(folder, name));
      await chmod(join(folder, name), 0o755);
    }
    const lines = [alice, bob].map(
      (user) => `${user.name}:{PLAIN}${password}:${user.uid}:${user.gid}::${homeOf(user)}::\n`,
    );
    await writeFile(join(folder, 'passwd'), lines.join(''), { mode: 0o600 });
    for (const user of [alice, bob]) {
      await mkdir(homeOf(user), { mode: 0o700 });
      await chown(homeOf(user), user.uid, user.gid);
      await served.site.deliver(user, '');
    }
    await served.start();
  });
  after(async () => {
    assert.equal(await served.end(), 0);
  });

  /** The subjects that he finds. */
  async function visit(user: User): Promise<readonly string[]> {
    const client = await served.logIn(user);
    const count = (await client.askLines('LIST')).length;
    const found: string[] = [];
    for (let number = 1; number <= count; number += 1) {
      const text = (await client.askOctets(`RETR ${number}`)).toString('latin1');
      found.push(/^Subject: (.*)\r$/m.exec(text)?.[1] ?? '');
    }
    await client.quit();
    return found;
  }

  test('go on from the file that qpopper left them, which stays theirs alone', async () => {
    await writeFile(counterOf(alice), '1\n', { mode: 0o600 });
    await chown(counterOf(alice), alice.uid, alice.gid);
    for (const name of ['1.old', '2.new', '3.newer']) await put(name);
    assert.deepEqual(await visit(alice), ['2.new', '3.newer']);
    assert.deepEqual(await visit(alice), ['2.new', '3.newer']);
    const { uid, gid, mode } = await lstat(counterOf(alice));
    assert.deepEqual([uid, gid, mode & 0o777], [alice.uid, alice.gid, 0o600]);
    assert.equal(await readFile(counterOf(alice), 'latin1'), '3\n');
    assert.deepEqual(await readdir(homeOf(alice)), ['.popbull']);
  });

  test('who are new get none of the old ones', async () => {
    assert.deepEqual(await visit(bob), []);
    assert.equal(await readFile(counterOf(bob), 'latin1'), '3\n');
  });

  test('get a bulletin when they may read it, and none is skipped until then', async () => {
    await put('4.secret', 0o600);
    await put('5.open');
    assert.deepEqual(await visit(bob), []);
    const path = join(served.site.folder, 'bulletins/4.secret');
    await served.running.logged(({ msg }) => msg === `Unable to open bulletin file ${path} (13)`);
    await chmod(path, 0o644);
    assert.deepEqual(await visit(bob), ['4.secret', '5.open']);
  });

  test('whose home is read-only, or whose .popbull leads elsewhere, are served without bulletins', async () => {
    await put('6.more');
    await chmod(homeOf(bob), 0o500);
    assert.deepEqual(await visit(bob), ['4.secret', '5.open']);
    await served.running.logged(({ msg }) => msg === 'Unable to create .popbull file (13)');
    await chmod(homeOf(bob), 0o700);
    await rm(counterOf(alice));
    await symlink(counterOf(bob), counterOf(alice));
    assert.deepEqual(await visit(alice), ['2.new', '3.newer']);
    await served.running.logged(({ msg }) => msg === 'Unable to create .popbull file (40)');
    assert.deepEqual(await visit(bob), ['4.secret', '5.open', '6.more']);
  });
});
