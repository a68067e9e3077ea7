import assert from 'node:assert/strict';
import { chmod, chown, lchown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { LockRefused, mayLock } from './locker-rule.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can make folders of others';
const [alice, bob] = [2001, 2002];

describe('the locker lets a user lock his mailbox', { skip }, () => {
  let above = '';
  let root = '';
  let folder = '';
  let path = '';
  beforeEach(async () => {
    above = await mkdtemp(join(tmpdir(), 'popper-locker-rule-'));
    [root, folder, path] = [join(above, 'spool/'), join(above, 'spool/a'), join(above, 'spool/a/alice')];
    await mkdir(folder, { recursive: true });
    await writeFile(path, '');
    await chown(path, alice, 8);
  });
  afterEach(() => rm(above, { recursive: true }));

  const may = () => mayLock(alice, path, root);

  test('in folders of root, of group mail, and in those where each can change his own names only', async () => {
    assert.equal(await may(), 'yes');
    for (const mode of [0o2775, 0o1777, 0o1775]) {
      await chmod(folder, mode);
      await chmod(root, mode);
      assert.equal(await may(), 'yes', mode.toString(8));
    }
  });

  test('and no other', async () => {
    await assert.rejects(mayLock(bob, path, root), LockRefused);
    await assert.rejects(mayLock(alice, path, join(above, 'another/')), LockRefused);
    await assert.rejects(mayLock(alice, path, undefined), LockRefused);
    await assert.rejects(mayLock(alice, `${root}../spool/a/alice`, root), LockRefused);
  });

  for (const [what, change] of [
    ['of his own', () => chown(folder, alice, 0)],
    ['where everybody may change names', () => chmod(folder, 0o777)],
    [
      'where a group that is not the locker may',
      async () => {
        await chown(folder, 0, alice);
        await chmod(folder, 0o2775);
      },
    ],
    ['below one of his own', () => chown(root, alice, 0)],
    [
      'that is a link of his',
      async () => {
        await mkdir(join(above, 'elsewhere'));
        await rm(folder, { recursive: true });
        await symlink(join(above, 'elsewhere'), folder);
        await lchown(folder, alice, alice);
        await writeFile(path, '');
        await chown(path, alice, 8);
      },
    ],
    [
      'that an operator has moved to one of his',
      async () => {
        await mkdir(join(above, 'elsewhere'));
        await rm(folder, { recursive: true });
        await symlink(join(above, 'elsewhere'), folder);
        await writeFile(path, '');
        await chown(path, alice, 8);
        await chown(join(above, 'elsewhere'), alice, 8);
      },
    ],
  ] as const) {
    test(`but not in a folder ${what}, where he may do so himself`, async () => {
      await change();
      assert.equal(await may(), 'forbidden');
    });
  }

  test('also where the operator has moved a part of the spool', async () => {
    await mkdir(join(above, 'elsewhere'));
    await rm(folder, { recursive: true });
    await symlink(join(above, 'elsewhere'), folder);
    await writeFile(path, '');
    await chown(path, alice, 8);
    assert.equal(await may(), 'yes');
  });

  test('and says where there is none, or not even its folder', async () => {
    await rm(path);
    assert.equal(await may(), 'missing');
    await rm(folder, { recursive: true });
    assert.equal(await may(), 'missing');
    await writeFile(folder, '');
    assert.equal(await may(), 'missing');
  });
});
