import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';

import { FileFault } from './file-fault.ts';
import { parseAccounts } from './parse-accounts.ts';
import { deleteUser, setPassword } from './set-password.ts';
import { verify } from './verify.ts';

const password = Buffer.from('tanstaaf');

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-passwd-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function letsIn(file: string, user: string): Promise<boolean> {
  const { byUser } = await parseAccounts(await readFile(file, 'latin1'));
  const account = byUser.get(user);
  return account !== undefined && verify(account.stored, password);
}

test('everything but the one password stays as it was, octet for octet', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  const text =
    '# caf\xe9\n\nann:{PLAIN}x\r\nnonsense\n bob:{PLAIN}\n' +
    'bob:{PLAIN}old:1000:1000:B:/home/bob:/bin/sh:a=b:c\r\nbob:second\nlast:{PLAIN}x';
  await writeFile(file, text, 'latin1');
  assert.equal(await setPassword(file, 'bob', password), 'changed');
  const changed = await readFile(file, 'latin1');
  assert.equal(changed.replace(/\{ARGON2ID\}[^:\r\n]+/, '{PLAIN}old'), text);
  assert.equal(await letsIn(file, 'bob'), true);
  assert.equal(await setPassword(file, 'eve', password), 'added');
  const added = await readFile(file, 'latin1');
  assert.equal(added.replace(/\neve:\{ARGON2ID\}[^:\n]+\n$/, ''), changed);
  assert.equal(await letsIn(file, 'eve'), true);
});

test('a deleted user is gone with all lines, and nobody else is', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  await writeFile(file, '#bob:x\nbob:{PLAIN}x\nbobby:{PLAIN}x\nbob:{PLAIN}y\nann:{PLAIN}x');
  assert.equal(await deleteUser(file, 'bob'), true);
  assert.equal(await readFile(file, 'latin1'), '#bob:x\nbobby:{PLAIN}x\nann:{PLAIN}x');
  assert.equal(await deleteUser(file, 'bob'), false);
  await assert.rejects(deleteUser(`${file}-not`, 'bob'), FileFault);
  await assert.rejects(stat(`${file}-not`), { code: 'ENOENT' });
});

test('a new file can be read by its owner alone', async (t) => {
  const folder = await folderOf(t);
  await setPassword(join(folder, 'passwd'), 'ann', password);
  assert.equal((await stat(join(folder, 'passwd'))).mode & 0o7777, 0o600);
  assert.deepEqual(await readdir(folder), ['passwd']);
});

test('owner, mode and a link in front of the file stay', async (t) => {
  const folder = await folderOf(t);
  const [file, link] = [join(folder, 'passwd'), join(folder, 'link')];
  await writeFile(file, '');
  const owner = process.geteuid?.() === 0 ? 1234 : (process.geteuid?.() ?? 0);
  await chown(file, owner, (await stat(file)).gid);
  await chmod(file, 0o640);
  await symlink('passwd', link);
  await setPassword(link, 'ann', password);
  const { mode, uid } = await stat(file);
  assert.deepEqual([mode & 0o7777, uid], [0o640, owner]);
  assert.equal((await lstat(link)).isSymbolicLink(), true);
  assert.equal(await letsIn(file, 'ann'), true);
});

test('names that no client can log in with, and names that are lines, are refused', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  for (const user of [
    '',
    'a:b',
    'a\nb',
    '#a',
    '../x',
    '.',
    '-f',
    'a b',
    'a\0',
    '\u{ff52}oot',
    'x'.repeat(65),
  ]) {
    await assert.rejects(setPassword(file, user, password), TypeError, user);
    await assert.rejects(deleteUser(file, user), TypeError, user);
  }
  await assert.rejects(stat(file), { code: 'ENOENT' });
});

test('of many who add at once, in one process and in several, none is lost', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  const script = `import { setPassword } from ${JSON.stringify(import.meta.resolve('./set-password.ts'))};
    await Promise.all([1, 2, 3].map((n) => setPassword(process.argv[1], process.argv[2] + n, Buffer.from('x'))));`;
  const others = ['a', 'b', 'c'].map((user) =>
    promisify(execFile)(process.execPath, [
      '-C',
      'popper-source',
      '--input-type=module',
      '-e',
      script,
      file,
      user,
    ]),
  );
  const own = [1, 2, 3].map((count) => setPassword(file, `own${count}`, password));
  await Promise.all([...others, ...own]);
  const { byUser, problems } = await parseAccounts(await readFile(file, 'latin1'));
  assert.deepEqual(problems, []);
  const expected = 'a1 a2 a3 b1 b2 b3 c1 c2 c3 own1 own2 own3';
  assert.equal([...byUser.keys()].toSorted().join(' '), expected);
});

test('of many who delete at once none brings back whom another removed', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
  await writeFile(file, users.map((user) => `${user}:{PLAIN}x\n`).join(''));
  const done = await Promise.all(users.slice(1).map((user) => deleteUser(file, user)));
  assert(done.every(Boolean));
  assert.equal(await readFile(file, 'utf8'), 'user0:{PLAIN}x\n');
});

test('where the new file cannot be written the old one stays, and the operator learns why', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'passwd'), 'ann:{PLAIN}x\n');
  await assert.rejects(setPassword(folder, 'ann', password), FileFault);
  await assert.rejects(setPassword(join(folder, 'passwd', 'x'), 'ann', password), /no folder/);
  await assert.rejects(setPassword(join(folder, 'no', 'x'), 'ann', password), /there is no folder/);
  assert.equal(await readFile(join(folder, 'passwd'), 'utf8'), 'ann:{PLAIN}x\n');
});
