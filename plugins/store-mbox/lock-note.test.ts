import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import { realFiles } from './commit/index.ts';
import { clearLeftLocks, lockNote, noteEnding } from './lock-note.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let spool = '';
let notes = '';
let files = new WatchedFiles(realFiles);
beforeEach(async () => {
  spool = await mkdtemp(join(tmpdir(), 'popper-note-'));
  notes = join(spool, 'notes');
  files = new WatchedFiles(realFiles);
  await mkdir(notes);
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(async () => {
  mock.timers.tick(60_000);
  mock.timers.reset();
  await rm(spool, { recursive: true });
});

const noteOf = (user: string) => lockNote(files, notes, join(spool, user));
const noteFiles = async (): Promise<readonly string[]> =>
  (await readdir(notes)).filter((name) => name.endsWith(noteEnding));

/** A process that locks a user's mailbox and then does nothing more. */
async function holdLock(user: string): Promise<{ kill(): Promise<void> }> {
  const path = join(spool, user);
  await writeFile(path, 'From x\n', { mode: 0o600 });
  const script = join(import.meta.dirname, 'testing', 'hold-lock.ts');
  const child = spawn(process.execPath, ['-C', 'popper-source', script, path, notes], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exited.then(() => assert.fail('it could not lock'))]);
  return {
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('a daemon that died with a dotlock', () => {
  it('stops no mail after its next start, although nobody logs in', async () => {
    const dead = await holdLock('mrose');
    await dead.kill();
    assert.ok((await readdir(spool)).includes('mrose.lock'));
    await clearLeftLocks(realFiles, notes);
    assert.deepEqual((await readdir(spool)).toSorted(), ['mrose', 'notes']);
    assert.deepEqual(await noteFiles(), []);
  });

  it('has its locks cleared when its successor started while it still lived', async () => {
    const former = await holdLock('mrose');
    await clearLeftLocks(realFiles, notes);
    assert.ok((await readdir(spool)).includes('mrose.lock'));
    await former.kill();
    await clearLeftLocks(realFiles, notes);
    assert.ok(!(await readdir(spool)).includes('mrose.lock'));
  });

  it('has them cleared although another note cannot be read, which is told', async () => {
    const dead = await holdLock('mrose');
    await dead.kill();
    await symlink('/nonexistent', join(notes, `0${noteEnding}`));
    await mkdir(join(notes, `zz${noteEnding}`));
    await assert.rejects(clearLeftLocks(realFiles, notes));
    assert.ok(!(await readdir(spool)).includes('mrose.lock'));
  });
});

/** As it lies in a file of notes. */
const slot = (path: string): Buffer => {
  const digest = createHash('sha256').update(path).digest('hex');
  return Buffer.concat([Buffer.from(`${digest} ${path}\0`)], 8192);
};

describe('a note', () => {
  it('that names another file, or is torn, has no lock of others removed', async () => {
    const old = new Date(Date.now() - 1_000_000);
    const victim = join(spool, 'package');
    await writeFile(`${victim}.lock`, 'precious');
    await utimes(`${victim}.lock`, old, old);
    const around = `${spool}/notes/../around`;
    await writeFile(join(spool, 'around.lock'), `1 ${hostname()} ${'0'.repeat(32)}\n`);
    const torn = slot(victim).fill('x', 70, 71);
    await writeFile(join(notes, `1${noteEnding}`), Buffer.concat([slot(victim), slot(around), torn]));
    await writeFile(join(notes, `2${noteEnding}`), `${victim}\0`);
    await clearLeftLocks(realFiles, notes);
    assert.equal(await readFile(`${victim}.lock`, 'latin1'), 'precious');
    assert.ok((await readdir(spool)).includes('around.lock'));
    assert.deepEqual(await noteFiles(), []);
  });

  it('costs a user who comes again no call to the disk', async () => {
    const note = noteOf('mrose');
    await note.write();
    note.remove();
    files.forget();
    await noteOf('mrose').write();
    assert.equal(files.calls.length, 0);
    noteOf('mrose').remove();
  });

  it('names all whose mailboxes are locked now, however many came before', async () => {
    await noteOf('first').write();
    for (let number = 0; number < 200; number += 1) {
      const note = noteOf(`user${number}`);
      await note.write();
      note.remove();
    }
    await noteOf('last').write();
    const [name = ''] = await noteFiles();
    const text = await readFile(join(notes, name), 'latin1');
    for (const user of ['first', 'last']) assert.ok(text.includes(` ${join(spool, user)}\0`), user);
    assert.ok((await stat(join(notes, name))).size <= 64 * 8192);
    for (const user of ['first', 'last']) noteOf(user).remove();
  });

  it('is done without on a disk that is full, and written when there is room again', async () => {
    files.before = ({ what }) => {
      if (what === 'write') throw systemError('ENOSPC');
    };
    await noteOf('mrose').write();
    noteOf('mrose').remove();
    files.before = () => {};
    await noteOf('mrose').write();
    const [name = ''] = await noteFiles();
    assert.ok((await readFile(join(notes, name), 'latin1')).includes(join(spool, 'mrose')));
    noteOf('mrose').remove();
  });

  it('keeps no file open when there was no lock for a minute, and never one less than the locks', async () => {
    await noteOf('mrose').write();
    await noteOf('other').write();
    noteOf('other').remove();
    mock.timers.tick(60_000);
    assert.equal((await noteFiles()).length, 1);
    noteOf('mrose').remove();
    mock.timers.tick(60_000);
    while ((await noteFiles()).length > 0) await new Promise((resolve) => setImmediate(resolve));
    await noteOf('mrose').write();
    assert.equal((await noteFiles()).length, 1);
    noteOf('mrose').remove();
  });
});
