import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { Directory } from './directory.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-directory-test-'));
after(() => rm(folder, { recursive: true }));

test('an operator is told of a folder that messages can neither be written to nor made in', async () => {
  await writeFile(join(folder, 'file'), '');
  await symlink('/dev/null', join(folder, 'link'));
  await mkdir(join(folder, 'there'));
  for (const name of ['file', 'link', 'file/sent', 'link/a/b'])
    assert.match(
      (await new Directory(join(folder, name)).fault())?.what ?? '',
      new RegExp(`^no messages can be written to ${join(folder, name)}$`),
    );
  for (const name of ['there', 'there/sent', 'a/b/sent'])
    assert.equal(await new Directory(join(folder, name)).fault(), undefined);
});

test("with isolation: 'user' an operator is told of a folder that is not there for all users", async () => {
  const path = join(folder, 'for-users');
  const faultOf = async () => (await new Directory(path).fault('user'))?.what ?? '';
  assert.match(await faultOf(), /not every user can write messages to .*for-users/);
  await mkdir(path);
  assert.match(await faultOf(), /not every user can write/);
  await chmod(path, 0o1733);
  assert.equal(await faultOf(), '');
});
