import assert from 'node:assert/strict';
import {
  link,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { type Files, realFiles } from './commit/index.ts';
import { clearLeftBehind, isDotlocked, resumeDotlock, tryDotlock } from './dotlock.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

const staleMs = 300_000;
const secondsAgo = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

let folder = '';
let path = '';
let lockPath = '';
let ownPath = '';
let files = new WatchedFiles(realFiles);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-dotlock-'));
  path = join(folder, 'mrose');
  lockPath = `${path}.lock`;
  ownPath = join(folder, `.mrose.popper-lock.${hostname()}`);
  files = new WatchedFiles(realFiles);
});
afterEach(() => rm(folder, { recursive: true }));

async function lockOfAnother(age: Date, content = 'another'): Promise<void> {
  await writeFile(lockPath, content);
  await utimes(lockPath, age, age);
}

const attempt = async (): Promise<string> => {
  const got = await tryDotlock(files, path, staleMs);
  if (typeof got === 'string') return got;
  await got.release();
  return 'held';
};

describe('a stranger who may write to the spool', () => {
  it('cannot have a mailbox locked by fcntl alone, by taking the name that is used first', async () => {
    await symlink('/nonexistent', ownPath);
    files.before = ({ what, path: of }) => {
      if (what === 'unlink' && of === ownPath) throw systemError('EPERM');
    };
    assert.equal(await attempt(), 'held');
  });

  it('cannot do so by an old dotlock of his, which a sticky folder lets nobody else remove', async () => {
    await lockOfAnother(secondsAgo(301));
    files.before = ({ what, path: of }) => {
      if (what === 'rename' || (what === 'unlink' && of === lockPath)) throw systemError('EPERM');
    };
    assert.equal(await attempt(), 'busy');
    assert.equal(await readFile(lockPath, 'latin1'), 'another');
  });

  it('cannot make a lock look held by making names for the file that was to be linked', async () => {
    await lockOfAnother(secondsAgo(1));
    files.before = async ({ what }) => {
      if (what === 'link') await link(ownPath, join(folder, 'more'));
    };
    assert.equal(await attempt(), 'busy');
    assert.equal(await readFile(lockPath, 'latin1'), 'another');
  });

  it('stops nobody from being told that it is locked, with a folder for a lock', async () => {
    await mkdir(lockPath);
    await utimes(lockPath, secondsAgo(301), secondsAgo(301));
    assert.equal(await attempt(), 'busy');
  });

  it('has his link taken away when it is old, and what it leads to is left alone', async () => {
    const target = join(folder, 'target');
    await writeFile(target, 'precious');
    await symlink(target, lockPath);
    assert.equal(await attempt(), 'busy');
    await lutimes(lockPath, secondsAgo(301), secondsAgo(301));
    assert.equal(await attempt(), 'held');
    assert.equal(await readFile(target, 'latin1'), 'precious');
  });
});

describe('a dotlock that another program has', () => {
  it('is honoured where popper may not make one itself', async () => {
    files.before = ({ what, path: of }) => {
      if (what === 'open' && of !== lockPath) throw systemError('EACCES');
    };
    assert.equal(await attempt(), 'forbidden');
    await lockOfAnother(secondsAgo(1));
    assert.equal(await attempt(), 'busy');
    await lockOfAnother(secondsAgo(301));
    assert.equal(await attempt(), 'forbidden');
  });

  it('is not taken for ours because a stranger wrote into his what popper writes', async () => {
    await lockOfAnother(secondsAgo(1), `1 ${hostname()} ${'0'.repeat(32)}\n`);
    const strangers: Files = {
      ...realFiles,
      async lstat(of) {
        const stat = await realFiles.lstat(of);
        return stat && of === lockPath ? { ...stat, uid: stat.uid + 1 } : stat;
      },
    };
    assert.equal(await tryDotlock(strangers, path, staleMs), 'busy');
    assert.equal(await attempt(), 'held');
  });

  it('is not removed if it got the name just when an old one was to go', async () => {
    await lockOfAnother(secondsAgo(301));
    let isFirst = true;
    files.before = async ({ what, path: of }) => {
      if (!isFirst || (what !== 'rename' && !(what === 'unlink' && of === lockPath))) return;
      isFirst = false;
      await writeFile(join(folder, 'new'), 'quicker');
      await rename(join(folder, 'new'), lockPath);
    };
    assert.equal(await attempt(), 'busy');
    assert.equal(await readFile(lockPath, 'latin1'), 'quicker');
  });

  it('is as old as its file server says, whose clock may be slow', async () => {
    await lockOfAnother(secondsAgo(400));
    const now = await realFiles.lstat(lockPath);
    assert.ok(now !== undefined);
    const { mtimeNs } = now;
    files.lieAboutTimes({ mtimeNs: mtimeNs + 10_000_000_000n, ctimeNs: mtimeNs });
    assert.equal(await attempt(), 'busy');
    files.lieAboutTimes({ mtimeNs: mtimeNs + 300_000_000_000n, ctimeNs: mtimeNs });
    assert.equal(await attempt(), 'held');
  });

  it('is not cleared at a start for its age alone', async () => {
    await lockOfAnother(secondsAgo(100_000));
    await clearLeftBehind(files, path);
    assert.equal(await readFile(lockPath, 'latin1'), 'another');
  });
});

describe('a dotlock of ours', () => {
  it('is not cleared while it is held, nor the file that is being linked', async () => {
    files.before = async ({ what }) => {
      if (what === 'link') await clearLeftBehind(realFiles, path);
    };
    const held = await tryDotlock(files, path, staleMs);
    assert.ok(typeof held !== 'string');
    await clearLeftBehind(realFiles, path);
    assert.equal(await held.release(), 'released');
  });

  it('is cleared at a start whenever its holder died, also between making the lock and removing its first name', async () => {
    await lockOfAnother(secondsAgo(1), `1 ${hostname()} ${'0'.repeat(32)}\n`);
    await link(lockPath, ownPath);
    await clearLeftBehind(files, path);
    assert.deepEqual(await readdir(folder), []);
    await writeFile(ownPath, '');
    await clearLeftBehind(files, path);
    assert.deepEqual(await readdir(folder), []);
  });

  it('leaves nothing behind in whatever order daemons die that take it over', async () => {
    await lockOfAnother(secondsAgo(1), `1 ${hostname()} ${'0'.repeat(32)}\n`);
    await rename(lockPath, ownPath);
    assert.equal(await attempt(), 'held');
    assert.deepEqual(await readdir(folder), []);
    await lockOfAnother(secondsAgo(1), `1 ${hostname()} ${'0'.repeat(32)}\n`);
    await link(lockPath, ownPath);
    assert.equal(await attempt(), 'held');
    assert.deepEqual(await readdir(folder), []);
  });

  it('stays fresh on a disk that is full', async () => {
    files.before = ({ what }) => {
      if (what === 'write') throw systemError('ENOSPC');
    };
    const held = await tryDotlock(files, path, staleMs);
    assert.ok(typeof held !== 'string');
    await utimes(lockPath, secondsAgo(301), secondsAgo(301));
    await held.refresh();
    assert.ok(await isDotlocked(realFiles, path, staleMs));
    await held.release();
  });
});

describe('a dotlock whose holder died while the work that it guards goes on', () => {
  const left = `4194304 ${hostname()} ${'0'.repeat(32)}\n`;

  it('is gone on with, without being free in between, and says who has it now', async () => {
    await lockOfAnother(secondsAgo(200), left);
    const before = await realFiles.lstat(lockPath);
    const resumed = await resumeDotlock(files, path);
    assert.ok(resumed !== undefined);
    assert.equal((await realFiles.lstat(lockPath))?.ino, before?.ino);
    assert.match(await readFile(lockPath, 'latin1'), new RegExp(`^${process.pid} \\S+ [0-9a-f]{32}\n$`));
    assert.deepEqual(
      files.calls.filter(({ what }) => what === 'rename' || what === 'unlink' || what === 'link'),
      [],
    );
    assert.equal(await attempt(), 'busy');
    assert.equal(await resumeDotlock(files, path), undefined, 'it is held');
    await utimes(lockPath, secondsAgo(301), secondsAgo(301));
    await resumed.refresh();
    assert.ok(await isDotlocked(realFiles, path, staleMs));
    assert.equal(await resumed.release(), 'released');
    assert.deepEqual(await readdir(folder), []);
  });

  it('is gone on with though the disk was too full to write into it', async () => {
    await lockOfAnother(secondsAgo(1), '');
    assert.equal(await (await resumeDotlock(files, path))?.release(), 'released');
  });

  it("is not where it is another program's by now, another host's, a stranger's link, or nobody's", async () => {
    assert.equal(await resumeDotlock(files, path), undefined);
    for (const content of ['0', `1 another.example ${'0'.repeat(32)}\n`]) {
      await lockOfAnother(secondsAgo(1), content);
      assert.equal(await resumeDotlock(files, path), undefined);
      assert.equal(await readFile(lockPath, 'latin1'), content);
    }
    await rename(lockPath, join(folder, 'own'));
    await writeFile(join(folder, 'own'), left);
    await symlink(join(folder, 'own'), lockPath);
    assert.equal(await resumeDotlock(files, path), undefined);
  });

  it('is not where another program got the name just when it was looked at', async () => {
    await lockOfAnother(secondsAgo(1), left);
    let looks = 0;
    files.before = async ({ what, path: of }) => {
      if (what !== 'lstat' || of !== lockPath) return;
      looks += 1;
      if (looks !== 2) return;
      await writeFile(join(folder, 'new'), 'quicker');
      await rename(join(folder, 'new'), lockPath);
    };
    assert.equal(await resumeDotlock(files, path), undefined);
    assert.equal(await readFile(lockPath, 'latin1'), 'quicker');
  });

  it("is nobody's where the disk fails, and can be resumed later", async () => {
    await lockOfAnother(secondsAgo(1), left);
    files.before = ({ what }) => {
      if (what === 'write') throw systemError('EIO');
    };
    await assert.rejects(resumeDotlock(files, path), { code: 'EIO' });
    files.before = () => {};
    assert.equal(await (await resumeDotlock(files, path))?.release(), 'released');
  });
});
