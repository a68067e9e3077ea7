import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { KnownUser } from 'popperd';

import { checkOwners } from './check-owners.ts';

const own = process.getuid?.() ?? 0;

const known = (user: string, uid: number): KnownUser => ({
  identity: { user, uid, gid: uid, home: '/nonexistent' },
  source: '/etc/popper/passwd',
  fixOfOwner: (path, owner) => `make ${user} ${owner}, for ${path.split('/').at(-1)}`,
});

async function said(t: TestContext, users: readonly KnownUser[], options: { owner?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'popper-owners-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const user of ['ann', 'bob']) await writeFile(join(folder, user), '');
  for (let number = 0; number < 25; number += 1) await writeFile(join(folder, `user${number}`), '');
  await mkdir(join(folder, 'folder'));
  await symlink('ann', join(folder, 'link'));
  const warnings: string[] = [];
  const warning = (what: string, fix: string): void =>
    void warnings.push(`${what} / ${fix}`.replaceAll(`${folder}/`, ''));
  await checkOwners(users, { warning }, { spool: join(folder, '{user}'), owner: options.owner }, '/');
  return warnings;
}

test('a user whose mbox belongs to another uid than is written down for him is named, with both and what to do', async (t) => {
  const users = [known('ann', own), known('bob', own + 1), known('eve', own + 1)];
  assert.deepEqual(await said(t, users), [
    `bob belongs to uid ${own}, and bob is uid ${own + 1} in /etc/popper/passwd: it is refused / make bob ${own}, for bob`,
  ]);
});

test('what is no file, and names that have no place in the spool, are for others to complain about', async (t) => {
  assert.deepEqual(
    await said(t, [known('folder', own + 1), known('link', own + 1), known('..', own + 1)]),
    [],
  );
});

test('where all mail belongs to one uid it does not matter what uid users have', async (t) => {
  assert.deepEqual(await said(t, [known('bob', own + 1)], { owner: own }), []);
});

test('twenty of them are named, and the others counted', async (t) => {
  const users = Array.from({ length: 25 }, (_, number) => known(`user${number}`, own + 1));
  const warnings = await said(t, users);
  assert.equal(warnings.length, 21);
  assert.equal(warnings.at(-1), '5 more users whose mbox is not theirs / the same');
});
