import assert from 'node:assert/strict';
import { link, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import { realFiles } from './commit/index.ts';
import { type Dotlock, isDotlocked, tryDotlock } from './dotlock.ts';
import { OwnFiles } from './own-files.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

const staleMs = 300_000;

let folder = '';
let files = new WatchedFiles(realFiles);
let ownFiles = new OwnFiles(files);
/** Mailboxes whose names stay in the folder. */
const names = new Set<string>();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-own-files-'));
  files = new WatchedFiles(realFiles);
  names.clear();
  ownFiles = keeping(0);
});
afterEach(() => rm(folder, { recursive: true }));

function keeping(locksPerSecond: number): OwnFiles {
  const keptNames = {
    added: async (path: string) => void names.add(path),
    removed: async (path: string) => void names.delete(path),
  };
  return new OwnFiles(files, keptNames, { maxCount: 2, locksPerSecond });
}

const pathOf = (user: string): string => join(folder, user);
const ownNameOf = (user: string): string => `.${user}.popper-lock.${hostname()}`;
const inFolder = async (): Promise<readonly string[]> => (await readdir(folder)).toSorted();
const madeFiles = (): number =>
  files.calls.filter(({ what, path }) => what === 'open' && path.includes('popper-lock')).length;

const lock = (user: string): ReturnType<typeof tryDotlock> =>
  tryDotlock(files, pathOf(user), staleMs, ownFiles);

async function held(user: string): Promise<Dotlock> {
  const attempt = await lock(user);
  assert.ok(typeof attempt !== 'string');
  return attempt;
}

describe('the file that a lock was linked from', () => {
  it('serves the next user in the same folder, and no other is made', async () => {
    await (await held('mrose')).release();
    const second = await held('other');
    assert.deepEqual(await inFolder(), [ownNameOf('mrose'), 'other.lock']);
    assert.equal(await second.release(), 'released');
    assert.equal(madeFiles(), 1);
    assert.deepEqual([...names], [pathOf('mrose')]);
    await ownFiles.close();
    assert.deepEqual(await inFolder(), []);
    assert.equal(names.size, 0);
  });

  it('does not stay in a quiet spool', async () => {
    ownFiles = keeping(1000);
    for (const user of ['mrose', 'other', 'mrose']) {
      await (await held(user)).release();
      assert.deepEqual(await inFolder(), []);
    }
  });

  it('makes a lock that is young, however old the file is', async () => {
    await (await held('mrose')).release();
    const old = new Date(Date.now() - 2 * staleMs);
    await utimes(join(folder, ownNameOf('mrose')), old, old);
    const second = await held('other');
    assert.ok(await isDotlocked(realFiles, pathOf('other'), staleMs));
    await second.release();
    await ownFiles.close();
  });

  it('serves one lock at a time, and its own user too while it serves another', async () => {
    await (await held('mrose')).release();
    const [other, mrose] = [await held('other'), await held('mrose')];
    assert.notEqual(
      await readFile(join(folder, 'other.lock'), 'latin1'),
      await readFile(join(folder, 'mrose.lock'), 'latin1'),
    );
    assert.equal(await lock('mrose'), 'busy');
    for (const one of [other, mrose]) assert.equal(await one.release(), 'released');
    await ownFiles.close();
    assert.deepEqual(await inFolder(), []);
  });

  it('is one of a few, and those of folders that are locked no more go first', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map(held));
    for (const one of all) await one.release();
    assert.equal((await inFolder()).length, 2);
    const elsewhere = await mkdtemp(join(folder, 'elsewhere-'));
    const attempt = await tryDotlock(files, join(elsewhere, 'mrose'), staleMs, ownFiles);
    assert.ok(typeof attempt !== 'string');
    await attempt.release();
    assert.deepEqual(await readdir(elsewhere), [ownNameOf('mrose')]);
    assert.equal(names.size, 2);
    await ownFiles.close();
    assert.deepEqual(await readdir(elsewhere), []);
  });

  it('goes when no lock was made for a while', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      await (await held('mrose')).release();
      mock.timers.tick(1000);
      while ((await inFolder()).length > 0) await new Promise((resolve) => setImmediate(resolve));
    } finally {
      mock.timers.reset();
    }
  });

  it('is made again where somebody removed it, or gave its name to another', async () => {
    await (await held('mrose')).release();
    await rm(join(folder, ownNameOf('mrose')));
    assert.equal(await lock('other'), 'busy');
    await (await held('other')).release();
    await rm(join(folder, ownNameOf('other')));
    await writeFile(join(folder, ownNameOf('other')), '');
    await assert.doesNotReject(lock('mrose'));
    await rm(join(folder, 'mrose.lock'), { force: true });
    await (await held('mrose')).release();
    await ownFiles.close();
  });

  it('is not used again after its lock was broken, which may still be in somebody’s hands', async () => {
    const first = await held('mrose');
    await rm(join(folder, 'mrose.lock'));
    await link(join(folder, ownNameOf('mrose')), join(folder, 'aside'));
    await writeFile(join(folder, 'mrose.lock'), 'another');
    assert.equal(await first.release(), 'taken');
    await rm(join(folder, 'mrose.lock'));
    await (await held('mrose')).release();
    assert.equal(madeFiles(), 2);
    await ownFiles.close();
    assert.deepEqual(await inFolder(), ['aside']);
  });

  it('goes where the disk fails to make it young, and the name is free for the next lock', async () => {
    await (await held('mrose')).release();
    files.before = ({ what }) => {
      if (what === 'write') throw systemError('EIO');
    };
    await assert.rejects(lock('other'), { code: 'EIO' });
    files.before = () => {};
    assert.deepEqual(await inFolder(), []);
    await (await held('other')).release();
    await ownFiles.close();
    assert.equal(names.size, 0);
  });

  it('is noted as long as it cannot be removed', async () => {
    await (await held('mrose')).release();
    files.before = ({ what }) => {
      if (what === 'unlink') throw systemError('EIO');
    };
    await ownFiles.close();
    assert.deepEqual([...names], [pathOf('mrose')]);
  });
});
