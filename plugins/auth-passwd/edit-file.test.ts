import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { editFile } from './edit-file.ts';

async function fileOf(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-passwd-edit-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'passwd');
  await writeFile(file, text);
  return file;
}

test('who reads while it is edited gets the old text or the new one, whole', async (t) => {
  const texts = ['a'.repeat(1_000_000), 'b'.repeat(900_000)] as const;
  const file = await fileOf(t, texts[0]);
  const edits = (async () => {
    for (let turn = 1; turn <= 40; turn += 1) await editFile(file, () => texts[turn % 2], { create: false });
    return 'done' as const;
  })();
  const seen = new Set<string>();
  for (let edited: unknown; edited === undefined;) {
    const read = readFile(file, 'latin1');
    edited = await Promise.race([edits, read.then(() => undefined)]);
    seen.add(await read);
  }
  assert.ok([...seen].every((text) => texts.some((whole) => whole === text)));
  assert.equal(seen.size, 2);
});

test('who has it open keeps what he opened: an edit is another file under the same name', async (t) => {
  const file = await fileOf(t, 'old\n');
  const handle = await open(file);
  await editFile(file, () => 'new\n', { create: false });
  assert.equal(await handle.readFile('latin1'), 'old\n');
  assert.notEqual((await handle.stat()).ino, (await stat(file)).ino);
  await handle.close();
});

test('an edit that changes nothing leaves the file itself, and nothing beside it', async (t) => {
  const file = await fileOf(t, 'old\n');
  const { ino } = await stat(file);
  await editFile(file, () => undefined, { create: false });
  assert.equal((await stat(file)).ino, ino);
  assert.deepEqual(await readdir(join(file, '..')), ['passwd']);
});

const lacksStrace = spawnSync('strace', ['-V']).error !== undefined && 'needs strace';

test(
  'a machine that dies has the old file or the new one: it is on disk before it gets the name, and then its folder',
  { skip: lacksStrace },
  async (t) => {
    const file = await fileOf(t, 'old\n');
    const code = `import { editFile } from ${JSON.stringify(import.meta.resolve('./edit-file.ts'))};
      await editFile(process.argv[1], () => 'new\\n', { create: false });`;
    const strace = [
      '-f',
      '-y',
      '-qq',
      '-e',
      'trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2',
    ];
    const node = [process.execPath, '-C', 'popper-source', '--input-type=module', '-e', code, file];
    const { stderr, status } = spawnSync('strace', [...strace, ...node], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const folder = join(file, '..');
    const calls = stderr.split('\n').filter((line) => line.includes(folder) && !line.includes('resumed'));
    const names = calls.map((line) => /(\w+)\(/.exec(line)?.[1]?.replace(/^p?write(?:64)?$/, 'write'));
    assert.deepEqual(names, ['write', 'fsync', 'rename', 'fsync'], calls.join('\n'));
    assert.match(calls[0] ?? '', /\.passwd\.[0-9a-f]{16}>/);
    assert.match(calls[1] ?? '', /\.passwd\.[0-9a-f]{16}>/);
    assert.ok(calls[3]?.includes(`<${folder}>`), calls[3]);
  },
);
