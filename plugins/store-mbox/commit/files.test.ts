import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { errorCode } from './files.ts';
import { realFiles } from './real-files.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-files-'));
});
after(() => rm(folder, { recursive: true }));

test('a link is not followed and a fifo does not hang the server', async () => {
  await writeFile(join(folder, 'target'), 'x');
  await symlink(join(folder, 'target'), join(folder, 'link'));
  await assert.rejects(realFiles.open(join(folder, 'link'), 'read'), { code: 'ELOOP' });
  assert.equal((await realFiles.lstat(join(folder, 'link')))?.kind, 'link');
  await promisify(execFile)('mkfifo', [join(folder, 'fifo')]);
  const fifo = await realFiles.open(join(folder, 'fifo'), 'read');
  assert.equal((await fifo.stat()).kind, 'other');
  await fifo.close();
});

test('a full disk is an error', async () => {
  const full = await realFiles.open('/dev/full', 'read-write');
  await assert.rejects(full.write(Buffer.from('x'), 0), { code: 'ENOSPC' });
  await full.close();
});

test('a write that the system cuts short goes on, and ends in the error that cut it', async () => {
  const path = join(folder, 'limited');
  const script = `
    import { realFiles } from ${JSON.stringify(new URL('real-files.ts', import.meta.url).href)};
    const file = await realFiles.open(${JSON.stringify(path)}, 'create');
    await file.write(Buffer.alloc(3000, 'x'), 0).catch((error) => console.log(error.code));`;
  const command = `trap '' XFSZ; ulimit -f 2; exec "$0" --input-type=module-typescript -e "$1"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', command, process.execPath, script]);
  assert.equal(stdout.trim(), 'EFBIG');
  assert.equal((await readFile(path)).length, 2048);
});

test('a new file belongs to its owner alone, and a name that is taken is refused', async () => {
  const path = join(folder, 'new');
  const file = await realFiles.open(path, 'create');
  await file.write(Buffer.from('hello'), 3);
  assert.deepEqual(await readFile(path), Buffer.from('\0\0\0hello'));
  const target = Buffer.alloc(10);
  assert.equal(await file.read(target, 4), 4);
  assert.equal(target.toString('latin1', 0, 4), 'ello');
  const { dev, ino, octets, mode, kind, mtimeNs } = await file.stat();
  const real = await stat(path, { bigint: true });
  assert.deepEqual(
    { dev, ino, octets, mtimeNs },
    { dev: real.dev, ino: real.ino, octets: 8, mtimeNs: real.mtimeNs },
  );
  assert.deepEqual({ mode, kind }, { mode: 0o600, kind: 'file' });
  await file.close();
  await assert.rejects(realFiles.open(path, 'create'), { code: 'EEXIST' });
});

test('what is missing is undefined or empty, and a folder may be there already', async () => {
  assert.equal(await realFiles.lstat(join(folder, 'nowhere')), undefined);
  assert.deepEqual(await realFiles.readFolder(join(folder, 'nowhere')), []);
  await realFiles.createFolder(join(folder, 'made'));
  await realFiles.createFolder(join(folder, 'made'));
  await realFiles.syncFolder(join(folder, 'made'), 'test');
  assert.equal((await realFiles.lstat(join(folder, 'made')))?.mode, 0o700);
});

test('the machine has the same boot id until it starts again', async () => {
  const id = await realFiles.bootId();
  assert.match(id ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(await realFiles.bootId(), id);
});

test('only system errors have a code', () => {
  assert.equal(errorCode(Object.assign(new Error('x'), { code: 'EIO' })), 'EIO');
  assert.equal(errorCode(new Error('x')), undefined);
  assert.equal(errorCode('EIO'), undefined);
});
