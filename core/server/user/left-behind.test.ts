import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { leavesBehind, usersWithLeftovers } from './left-behind.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can make folders of others';

describe('what root sees of work that dead processes have left', { skip }, () => {
  let stateDir = '';
  const odd: string[] = [];

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'popper-left-'));
    odd.length = 0;
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const leave = async (uid: number, files: Readonly<Record<string, number>>, owner = uid): Promise<void> => {
    const folder = join(stateDir, String(uid));
    await mkdir(join(folder, 'journals'), { recursive: true });
    for (const [name, octets] of Object.entries(files))
      await writeFile(join(folder, 'journals', name), Buffer.alloc(octets));
    await chown(folder, owner, 7);
  };
  const users = () => usersWithLeftovers(stateDir, 1000, (folder) => void odd.push(folder));

  test('is a journal that is not done, or a note of locks; a done journal is nothing', async () => {
    await leave(1001, { 'a.j': 4096, 'b.j': 0 });
    await leave(1002, { 'a.j': 4096, 'b.j': 4097 });
    await leave(1003, { 'x.locking': 1 });
    await mkdir(join(stateDir, '1004'));
    await chown(join(stateDir, '1004'), 1004, 7);
    assert.deepEqual(
      (await users()).toSorted((one, other) => one.uid - other.uid),
      [
        { uid: 1002, gid: 7 },
        { uid: 1003, gid: 7 },
      ],
    );
    assert.deepEqual(odd, []);
  });

  test('is of nobody below minUid, and of nobody whose folder is not his', async () => {
    await leave(999, { 'b.j': 9000 });
    await leave(0, { 'b.j': 9000 });
    await leave(1005, { 'b.j': 9000 }, 1006);
    await leave(1006, { 'b.j': 9000 });
    assert.deepEqual(await users(), [{ uid: 1006, gid: 7 }]);
    assert.deepEqual(odd, [join(stateDir, '1005')]);
  });

  test('is looked for in no place where a pipe or a file lies, and for no longer than a thousand names', async () => {
    await mkdir(join(stateDir, '1007'));
    await writeFile(join(stateDir, '1007', 'journals'), '');
    assert.equal(await leavesBehind(stateDir, 1007), false);
    await mkdir(join(stateDir, '1008'));
    await symlink('journals', join(stateDir, '1008', 'journals'));
    assert.equal(await leavesBehind(stateDir, 1008), false);
    const names = Array.from({ length: 1001 }, (_, index) => [`${index}.j`, 0] as const);
    await leave(1009, Object.fromEntries(names));
    assert.equal(await leavesBehind(stateDir, 1009), true);
  });

  test('is found behind no link that a user has made, wherever that leads, and others are found all the same', async () => {
    await leave(1011, { 'b.j': 9000 });
    await mkdir(join(stateDir, '1010'));
    await symlink(join(stateDir, '1011', 'journals'), join(stateDir, '1010', 'journals'));
    await mkdir(join(stateDir, '1012'));
    await symlink('a'.repeat(300), join(stateDir, '1012', 'journals'));
    for (const uid of [1010, 1012]) await chown(join(stateDir, String(uid)), uid, 7);
    assert.deepEqual(await users(), [{ uid: 1011, gid: 7 }]);
    assert.deepEqual(odd, []);
  });
});
