import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { link, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { CannotTrace, TraceFile } from './trace-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-trace-'));
  path = join(folder, 'trace');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A watcher, and what it was told. */
function watching() {
  const told: string[] = [];
  const watcher = {
    losing: () => void told.push('losing'),
    goesOn: (lostLines: number) => void told.push(`goes on without ${lostLines}`),
    stays: ({ errno }: CannotTrace) => void told.push(`stays, err = ${errno}`),
  };
  return { told, watcher };
}

test('nobody else can read a trace, and each line is there as soon as it is written', async () => {
  const file = TraceFile.open(path, watching().watcher);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  file.write('one\n');
  assert.equal(await readFile(path, 'utf8'), 'one\n');
  file.close();
  file.write('too late\n');
  assert.equal(await readFile(path, 'utf8'), 'one\n');
});

test('what was traced before stays, and several processes write to one file', async () => {
  await writeFile(path, 'yesterday\n', { mode: 0o640 });
  const files = [1, 2].map(() => TraceFile.open(path, watching().watcher));
  for (const [index, file] of [...files, ...files].entries()) file.write(`${index}\n`);
  for (const file of files) file.close();
  assert.equal(await readFile(path, 'utf8'), 'yesterday\n0\n1\n2\n3\n');
  assert.equal((await stat(path)).mode & 0o777, 0o640, 'its mode is the business of whoever made it');
});

const errno = { EISDIR: 21, ENOENT: 2, ENXIO: 6, ELOOP: 40, EMLINK: 31, EINVAL: 22 } as const;

for (const [what, number, make] of [
  ['is a folder', errno.EISDIR, () => mkdir(path)],
  ['lies in no folder', errno.ENOENT, async () => void (path = join(folder, 'none/trace'))],
  ['is a link to another file', errno.ELOOP, () => symlink('/etc/hostname', path)],
  ['is a link to what is not there', errno.ELOOP, () => symlink(join(folder, 'other'), path)],
  ['is a pipe that nobody reads', errno.ENXIO, async () => void spawnSync('mkfifo', [path])],
  ['is a device', errno.EINVAL, async () => void (path = '/dev/null')],
  [
    'is another name of a file',
    errno.EMLINK,
    async () => {
      await writeFile(join(folder, 'other'), 'precious\n');
      await link(join(folder, 'other'), path);
    },
  ],
] as const) {
  test(`a trace file that ${what} is refused in the classic words`, async () => {
    await make();
    assert.throws(() => TraceFile.open(path, watching().watcher), {
      name: 'CannotTrace',
      message: `Unable to open trace file "${path}", err = ${number}`,
    });
  });
}

/** The name is looked at once a second. */
const untilLookedAtMs = 1100;

test('a trace whose file was rotated away goes on in a new one', async () => {
  const { told, watcher } = watching();
  const file = TraceFile.open(path, watcher);
  file.write('one\n');
  await rename(path, `${path}.1`);
  await delay(untilLookedAtMs);
  file.write('two\n');
  file.close();
  assert.deepEqual([await readFile(`${path}.1`, 'utf8'), await readFile(path, 'utf8')], ['one\n', 'two\n']);
  assert.deepEqual(told, []);
});

test('where something else has the name of the file, lines go where they went, and that is said once', async () => {
  const { told, watcher } = watching();
  const file = TraceFile.open(path, watcher);
  await rename(path, `${path}.1`);
  await symlink('/etc/hostname', path);
  for (const line of ['one\n', 'two\n']) {
    await delay(untilLookedAtMs);
    file.write(line);
  }
  file.close();
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'one\ntwo\n');
  assert.deepEqual(told, ['stays, err = 40']);
});

test('a full disk costs lines of the trace, is told of once, and leaves no line half there', async (t) => {
  await mkdir(join(folder, 'disk'));
  const mount = ['-t', 'tmpfs', '-o', 'size=8k', 'none', join(folder, 'disk')];
  if (spawnSync('mount', mount).status !== 0) return t.skip('needs root, to mount a small disk');
  try {
    await fillAndEmpty(join(folder, 'disk'));
  } finally {
    spawnSync('umount', [join(folder, 'disk')]);
  }
});

/** It has room for two blocks of 4096 octets. */
async function fillAndEmpty(disk: string): Promise<void> {
  path = join(disk, 'trace');
  await writeFile(join(disk, 'filler'), Buffer.alloc(4096));
  const { told, watcher } = watching();
  const file = TraceFile.open(path, watcher);
  const line = `${'x'.repeat(999)}\n`;
  for (let count = 0; count < 7; count += 1) file.write(line);
  assert.deepEqual(told, ['losing']);
  await rm(join(disk, 'filler'));
  file.write('it goes on\n');
  file.close();
  assert.deepEqual(told, ['losing', 'goes on without 3']);
  const lines = (await readFile(path, 'utf8')).split('\n');
  const lengths = lines.slice(0, 4).map(({ length }) => length);
  assert.deepEqual([lengths, lines.at(-2)], [[999, 999, 999, 999], 'it goes on']);
}
