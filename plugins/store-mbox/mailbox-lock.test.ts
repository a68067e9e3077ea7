import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { Failure } from 'popperd';

import { type Files, realFiles } from './commit/index.ts';
import { isDotlocked, tryDotlock } from './dotlock.ts';
import { lockMailbox, lockMailboxShared, type LockSettings } from './mailbox-lock.ts';
import { canLockByFcntl, lockByFcntl } from './testing/other-programs.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

const trust = { owner: process.getuid?.() ?? 0, mailGroup: undefined };
const isBusy = (error: unknown): boolean => error instanceof Failure && error.code === 'SYS/TEMP';

let folder = '';
let path = '';
let forbidden: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-lock-'));
  path = join(folder, 'mrose');
  forbidden = [];
  await writeFile(path, 'From x\n', { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true }));

const settings = (over: Partial<LockSettings> = {}): LockSettings => ({
  files: realFiles,
  lockMethods: ['dotlock', 'fcntl'],
  lockTimeoutMs: 100,
  staleDotlockMs: 300_000,
  onForbidden: (mailbox) => forbidden.push(mailbox),
  tryDotlock: (of) => tryDotlock(over.files ?? realFiles, of, 300_000),
  ...over,
});

describe('a mailbox that is locked for writing', () => {
  it('keeps others away who use fcntl, a dotlock, or popper', async () => {
    const locked = await lockMailbox(path, trust, settings());
    assert.ok(locked !== undefined);
    assert.equal(await canLockByFcntl(path), false);
    await assert.rejects(writeFile(`${path}.lock`, '', { flag: 'wx' }), { code: 'EEXIST' });
    await assert.rejects(lockMailbox(path, trust, settings()), isBusy);
    await assert.rejects(lockMailboxShared(path, trust, settings()), isBusy);
    await locked.release();
    assert.equal(await canLockByFcntl(path), true);
    assert.deepEqual(await readdir(folder), ['mrose']);
  });

  it('says in its dotlock who has it', async () => {
    const locked = await lockMailbox(path, trust, settings());
    const [pid, host, transaction] = (await readFile(`${path}.lock`, 'latin1')).trim().split(' ');
    assert.deepEqual([pid, host], [String(process.pid), hostname()]);
    assert.match(transaction ?? '', /^[0-9a-f]{32}$/);
    await locked?.release();
  });

  it('tells the operator if another program broke the dotlock meanwhile, and leaves him his', async () => {
    const taken: string[] = [];
    const locked = await lockMailbox(path, trust, settings({ onTaken: (mailbox) => taken.push(mailbox) }));
    await rm(`${path}.lock`);
    await writeFile(`${path}.lock`, 'another');
    await locked?.release();
    assert.deepEqual(taken, [path]);
    assert.equal(await readFile(`${path}.lock`, 'latin1'), 'another');
  });

  it('keeps its dotlock fresh for as long as it is held, one call at a time, and not afterwards', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const refreshing: (() => void)[] = [];
    const refresh = (): Promise<void> => new Promise((resolve) => refreshing.push(resolve));
    const dotlock = { refresh, release: async () => 'released' as const };
    const locked = await lockMailbox(path, trust, settings({ tryDotlock: async () => dotlock }));
    const refreshesAfter = async (ms: number): Promise<number> => {
      t.mock.timers.tick(ms);
      await setImmediate();
      return refreshing.length;
    };
    assert.equal(await refreshesAfter(29_999), 0);
    assert.equal(await refreshesAfter(1), 1);
    assert.equal(await refreshesAfter(60_000), 1, 'the disk still hangs');
    for (const count of [2, 3]) {
      refreshing.at(-1)?.();
      await setImmediate();
      assert.equal(await refreshesAfter(30_000), count);
    }
    refreshing.at(-1)?.();
    await locked?.release();
    await setImmediate();
    assert.equal(await refreshesAfter(300_000), 3);
  });

  it('is none at once if there is not even its folder', async () => {
    const nowhere = join(folder, 'unmounted', 'mrose');
    assert.equal(await lockMailbox(nowhere, trust, settings()), undefined);
  });

  it('is none if there is no mailbox, and nothing is left behind', async () => {
    assert.equal(await lockMailbox(join(folder, 'nobody'), trust, settings()), undefined);
    assert.equal(await lockMailboxShared(join(folder, 'nobody'), trust, settings()), undefined);
    assert.deepEqual(await readdir(folder), ['mrose']);
  });

  it('waits for a program to end, in either order of the methods', async () => {
    for (const lockMethods of [
      ['dotlock', 'fcntl'],
      ['fcntl', 'dotlock'],
    ] as const) {
      const python = await lockByFcntl(path);
      const locking = lockMailbox(path, trust, settings({ lockTimeoutMs: 20_000, lockMethods }));
      await python.release();
      await (await locking)?.release();
    }
  });

  it('is not locked in part while another has one of the locks, for he may wait for the other', async () => {
    const python = await lockByFcntl(path);
    const files = new WatchedFiles(realFiles);
    const locking = lockMailbox(path, trust, settings({ files, lockTimeoutMs: 400 }));
    await assert.rejects(locking, isBusy);
    const [links, unlinks] = ['link', 'unlink'].map(
      (what) => files.callsTo(`${path}.lock`).filter((call) => call.what === what).length,
    );
    assert.ok((links ?? 0) > 1, 'it tried once only');
    assert.equal(links, unlinks);
    assert.equal(await isDotlocked(realFiles, path, 300_000), false);
    await python.release();
  });

  it('is not had while procmail appends, which locks from the old end on', async () => {
    const procmail = await lockByFcntl(path, 'from the end on');
    await assert.rejects(lockMailbox(path, trust, settings()), isBusy);
    await assert.rejects(lockMailboxShared(path, trust, settings()), isBusy);
    await procmail.release();
  });

  it('is not had while another program has the dotlock, which is left alone', async () => {
    await writeFile(`${path}.lock`, '0');
    await assert.rejects(lockMailbox(path, trust, settings()), isBusy);
    assert.equal(await readFile(`${path}.lock`, 'latin1'), '0');
    assert.equal(await canLockByFcntl(path), true);
  });

  it('is the file that has the name now, not the one that had it', async () => {
    const files = new WatchedFiles(realFiles);
    let looks = 0;
    files.before = async ({ what, path: of }) => {
      if (what !== 'lstat' || of !== path) return;
      looks += 1;
      // It was opened, and its owner and mode were looked at; now the lock is held.
      if (looks !== 1) return;
      await writeFile(join(folder, 'new'), 'From y\n', { mode: 0o600 });
      await rename(join(folder, 'new'), path);
    };
    const locked = await lockMailbox(path, trust, settings({ files, lockTimeoutMs: 5000 }));
    assert.equal((await locked?.file.stat())?.ino, (await realFiles.lstat(path))?.ino);
    await locked?.release();
  });

  it('is locked by fcntl alone where the spool lets nobody make a dotlock, and that is told', async () => {
    const files = new WatchedFiles(realFiles);
    files.before = ({ what, path: of }) => {
      if (what === 'open' && of !== path) throw systemError('EACCES');
    };
    const locked = await lockMailbox(path, trust, settings({ files }));
    assert.equal(await canLockByFcntl(path), false);
    assert.deepEqual(forbidden, [path]);
    await locked?.release();
    const dotlockOnly = settings({ files, lockMethods: ['dotlock'] });
    await assert.rejects(lockMailbox(path, trust, dotlockOnly), { code: 'SYS/PERM' });
  });
});

describe('a disk that fails while a mailbox is locked', () => {
  it('once, at any call, tells the client to try again; and then all is as if nothing had been', async () => {
    const files = new WatchedFiles(realFiles);
    await (await lockMailbox(path, trust, settings({ files })))?.release();
    const count = files.calls.length;
    for (let failing = 0; failing < count; failing += 1) {
      files.forget();
      files.before = () => {
        if (files.calls.length === failing + 1) throw systemError('EIO');
      };
      const left: unknown[] = [];
      const locking = lockMailbox(path, trust, settings({ files, onLeftLocked: (of) => left.push(of) }));
      await locking.then(
        (locked) => locked?.release(),
        (error: unknown) => assert.ok(isBusy(error), `call ${failing}: ${String(error)}`),
      );
      assert.ok(left.length > 0 || !(await isDotlocked(realFiles, path, 300_000)), `call ${failing}: locked`);
      await (await lockMailbox(path, trust, settings({ lockTimeoutMs: 0 })))?.release();
      assert.deepEqual(await readdir(folder), ['mrose'], `call ${failing}`);
    }
  });

  it('does not keep the other lock from being let go', async () => {
    const left: unknown[] = [];
    const files: Files = {
      ...realFiles,
      async open(of, mode) {
        const file = await realFiles.open(of, mode);
        if (of !== path) return file;
        const close = (): Promise<void> => file.close().then(() => Promise.reject(systemError('EIO')));
        return { ...file, close };
      },
    };
    const python = await lockByFcntl(path);
    const locking = lockMailbox(
      path,
      trust,
      settings({ files, onLeftLocked: (_, error) => left.push(error) }),
    );
    await assert.rejects(locking, isBusy);
    assert.equal(await isDotlocked(realFiles, path, 300_000), false);
    assert.ok(left.length > 0);
    await python.release();
  });

  it('is opened once more where NFS has it no more, because another host has just replaced it', async () => {
    const cases = [lockMailbox, lockMailboxShared].flatMap((lock) =>
      (['open', 'stat', 'lstat'] as const).map((failing) => ({ lock, failing })),
    );
    for (const { lock, failing } of cases) {
      const files = new WatchedFiles(realFiles);
      let stales = 1;
      files.before = ({ what, path: of }) => {
        if (what === failing && of === path && stales-- > 0) throw systemError('ESTALE');
      };
      const locked = await lock(path, trust, settings({ files, lockTimeoutMs: 0 }));
      assert.ok(locked !== undefined && stales < 0);
      await locked.release();
      stales = 2;
      await assert.rejects(lock(path, trust, settings({ files, lockTimeoutMs: 0 })), {
        code: 'SYS/TEMP',
        message: /^the maildrop cannot be /,
      });
    }
    assert.deepEqual(await readdir(folder), ['mrose']);
  });

  it('is a sentence for who only reads, too', async () => {
    const files = new WatchedFiles(realFiles);
    files.before = ({ what }) => {
      if (what === 'stat') throw systemError('EIO');
    };
    await assert.rejects(lockMailboxShared(path, trust, settings({ files })), isBusy);
    files.before = () => {
      throw systemError('EIO');
    };
    await assert.rejects(isDotlocked(files, path, 300_000), isBusy);
  });
});

describe('a mailbox that is being read', () => {
  it('is read by others, too, and written by nobody', async () => {
    const locked = await lockMailboxShared(path, trust, settings());
    const python = await lockByFcntl(path, 'shared');
    await python.release();
    assert.equal(await canLockByFcntl(path), false);
    await locked?.release();
    assert.deepEqual(await readdir(folder), ['mrose']);
  });

  it('can be written again as soon as it is unlocked, though the file stays open', async () => {
    const locked = await lockMailboxShared(path, trust, settings());
    assert.equal(await canLockByFcntl(path), false);
    locked?.unlock();
    assert.equal(await canLockByFcntl(path), true);
    assert.deepEqual(await locked?.file.stat(), locked?.stat);
    await locked?.release();
  });

  it('does not care for dotlocks', async () => {
    await writeFile(`${path}.lock`, '0');
    await (await lockMailboxShared(path, trust, settings()))?.release();
  });

  it('is told as in use if it is locked at a login', async () => {
    const python = await lockByFcntl(path);
    await assert.rejects(lockMailboxShared(path, trust, settings(), 'IN-USE'), { code: 'IN-USE' });
    await python.release();
  });
});

const mine = (pid: number, host = hostname()): Promise<void> =>
  writeFile(`${path}.lock`, `${pid} ${host} ${'0'.repeat(32)}\n`);
const isTaken = async (): Promise<boolean> => {
  const attempt = await tryDotlock(realFiles, path, 300_000);
  if (typeof attempt === 'string') return false;
  await attempt.release();
  return true;
};

describe('a dotlock that was left behind', () => {
  /** Over the highest pid that Linux gives. */
  const nobody = 2 ** 22 + 1;

  it('by a popper that is dead is taken over at once, also when its pid is another process now', async () => {
    for (const pid of [nobody, process.pid, process.ppid]) {
      await mine(pid);
      assert.ok(await isTaken(), String(pid));
    }
  });

  it('by a popper that lives is not, though its pid means nothing here, as in another container', async () => {
    await mine(nobody);
    const popper = await lockByFcntl(`${path}.lock`);
    assert.ok(!(await isTaken()));
    await popper.release();
    assert.ok(await isTaken());
  });

  it('by a popper on another host is not', async () => {
    await mine(nobody, 'another.example');
    assert.ok(!(await isTaken()));
  });

  it('by another program is taken over for its age only', async () => {
    await writeFile(`${path}.lock`, String(nobody));
    assert.ok(!(await isTaken()));
    const old = new Date(Date.now() - 301_000);
    await utimes(`${path}.lock`, old, old);
    assert.equal(await isDotlocked(realFiles, path, 300_000), false);
    assert.ok(await isTaken());
  });

  it('does not last while its holder refreshes it', async () => {
    const held = await tryDotlock(realFiles, path, 300_000);
    assert.ok(typeof held !== 'string');
    const old = new Date(Date.now() - 301_000);
    await utimes(`${path}.lock`, old, old);
    await held.refresh();
    assert.ok(await isDotlocked(realFiles, path, 300_000));
    assert.ok(!(await isTaken()));
    await held.release();
  });

  it('is not removed by its holder once another has it', async () => {
    const held = await tryDotlock(realFiles, path, 300_000);
    assert.ok(typeof held !== 'string');
    await rm(`${path}.lock`);
    await writeFile(`${path}.lock`, 'another');
    await held.release();
    assert.equal(await readFile(`${path}.lock`, 'latin1'), 'another');
  });

  it('leaves at most a file of its own, which the next one uses', async () => {
    await writeFile(join(folder, `.mrose.popper-lock.${hostname()}`), 'a process died here');
    assert.ok(await isTaken());
    assert.deepEqual(await readdir(folder), ['mrose']);
  });
});
