import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
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
