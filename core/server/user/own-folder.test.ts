import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { lockersFolderOf, makeLockersFolder, makeOwnFolder } from './own-folder.ts';

const lacksStrace = spawnSync('strace', ['-V']).error !== undefined && 'needs strace';
const skip = process.getuid?.() === 0 ? false : 'only root can give a folder to somebody';

describe('the folder that root makes for the indexes and locks of a user', { skip }, () => {
  const user = { uid: 2001, gid: 2002 };
  let stateDir = '';
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'popper-own-folder-'));
  });
  afterEach(() => rmSync(stateDir, { recursive: true }));

  test("is the user's own, and nobody else's, however often it is made", () => {
    for (let time = 1; time <= 2; time += 1) {
      makeOwnFolder(stateDir, user);
      const { uid, gid, mode } = lstatSync(join(stateDir, '2001'));
      assert.deepEqual([uid, gid, mode & 0o7777], [2001, 2002, 0o700]);
    }
  });

  test('is made where a process died between making it and giving it away', () => {
    mkdirSync(join(stateDir, '2001'), { mode: 0o700 });
    makeOwnFolder(stateDir, user);
    assert.equal(lstatSync(join(stateDir, '2001')).uid, 2001);
  });

  test(
    'is his only when a power cut cannot take it back, and is not waited for again',
    { skip: lacksStrace },
    () => {
      const script = `
      import { makeOwnFolder } from ${JSON.stringify(join(import.meta.dirname, 'own-folder.ts'))};
      for (const time of [1, 2]) makeOwnFolder(process.argv[1], { uid: 2001, gid: 2002 });`;
      const node = [process.execPath, '--input-type=module', '-e', script, stateDir];
      const { stderr } = spawnSync('strace', ['-f', '-y', '-qq', '-e', 'trace=mkdir,fsync,chown', ...node]);
      const calls = stderr
        .toString()
        .split('\n')
        .filter((line) => line.includes(stateDir));
      const names = calls.map((line) => /(\w+)\(/.exec(line)?.[1]);
      assert.deepEqual(names, ['mkdir', 'fsync', 'chown', 'mkdir'], calls.join('\n'));
    },
  );

  test('is not made where somebody could put a link in its place, which root would give away', () => {
    chmodSync(stateDir, 0o1777);
    symlinkSync('/etc', join(stateDir, '2001'));
    assert.throws(() => makeOwnFolder(stateDir, user), /others than root may write/);
    chmodSync(stateDir, 0o711);
    assert.throws(() => makeOwnFolder(stateDir, user), /is no folder/);
    assert.equal(lstatSync('/etc').uid, 0);
    chownSync(stateDir, 2001, 2001);
    assert.throws(() => makeOwnFolder(stateDir, user), /others than root may write/);
  });

  test("is not another's", () => {
    mkdirSync(join(stateDir, '2001'));
    chownSync(join(stateDir, '2001'), 2003, 2003);
    assert.throws(() => makeOwnFolder(stateDir, user), /belongs to uid 2003: chown 2001/);
  });

  test("is not the locker's, which is for who has its group alone", () => {
    for (let time = 1; time <= 2; time += 1) {
      makeLockersFolder(stateDir, 8);
      const { uid, gid, mode } = lstatSync(lockersFolderOf(stateDir));
      assert.deepEqual([uid, gid, mode & 0o7777], [0, 8, 0o770]);
    }
    rmSync(lockersFolderOf(stateDir), { recursive: true });
    symlinkSync('/etc', lockersFolderOf(stateDir));
    assert.throws(() => makeLockersFolder(stateDir, 8), /is no folder/);
    chmodSync(stateDir, 0o1777);
    assert.throws(() => makeLockersFolder(stateDir, 8), /others than root may write/);
    assert.equal(lstatSync('/etc').gid, 0);
  });
});
