import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { readTargets, writeTargets } from './target-file.ts';
import { textOf } from './targets.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-trace-'));
  path = join(folder, 'trace.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const targets = [{ kind: 'user', name: 'mrose', untilMs: 1 }] as const;

test('what one process writes others read, whatever the umask, and nothing else is left', async () => {
  assert.deepEqual(readTargets(path), []);
  const before = process.umask(0o077);
  await writeTargets(path, []);
  await writeTargets(path, targets);
  process.umask(before);
  assert.deepEqual(readTargets(path), targets);
  assert.equal((await stat(path)).mode & 0o777, 0o644);
  assert.deepEqual(await readdir(folder), ['trace.json']);
});

test('where it cannot be written it is as it was', async () => {
  await writeTargets(path, targets);
  await assert.rejects(writeTargets(join(path, 'below'), []), { code: 'ENOTDIR' });
  await rm(path);
  spawnSync('mkdir', [path]);
  await assert.rejects(writeTargets(path, targets), { code: 'EISDIR' });
  assert.deepEqual(await readdir(folder), ['trace.json']);
});

for (const [what, reason, make] of [
  ['everybody may write to', /^Error: others may write to it$/, () => chmod(path, 0o666)],
  ['is a link', /ELOOP/, () => rm(path).then(() => symlink('/etc/hostname', path))],
  [
    'is a pipe',
    /^Error: it is no regular file$/,
    () => rm(path).then(() => void spawnSync('mkfifo', [path])),
  ],
  ['is empty', /^TypeError: it does not say who/, () => writeFile(path, '')],
  ['is large', /^Error: it has more than/, () => writeFile(path, textOf(targets).padEnd(1_000_000))],
] as const) {
  test(`a file that ${what} is not believed`, async () => {
    await writeTargets(path, targets);
    await make();
    assert.throws(() => readTargets(path), reason);
  });
}

const asRoot = { skip: process.getuid?.() !== 0 && 'only root can give files away' };

test("somebody else's file is not believed, but for his whose the folder is", asRoot, async () => {
  await writeTargets(path, targets);
  await chown(path, 2001, 2001);
  assert.throws(() => readTargets(path), /^Error: it belongs to uid 2001$/);
  await chown(folder, 2001, 2001);
  assert.deepEqual(readTargets(path), targets);
});
