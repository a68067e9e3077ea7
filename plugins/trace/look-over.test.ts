import assert from 'node:assert/strict';
import { chmod, chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { lookOver } from './look-over.ts';

const nobody = 65_534;
const skip = process.getuid?.() !== 0 && 'only root can become somebody else';

/** What is found with the rights of nobody, as fronts may have them. */
function found(path: string): readonly string[] {
  const said: string[] = [];
  lookOver(path, {
    frontUser: 'nobody',
    fine: (what) => said.push(what),
    problem: (what, fix) => said.push(what, fix),
    asFront(look) {
      process.setegid?.(nobody);
      process.seteuid?.(nobody);
      try {
        look();
      } finally {
        process.seteuid?.(0);
        process.setegid?.(0);
      }
    },
  });
  return said;
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-trace-look-'));
  await chmod(folder, 0o755);
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test(
  "popper check finds a trace that root could write and fronts cannot, with the system's number as serve has it",
  { skip },
  async (t) => {
    const path = join(await folderOf(t), 'trace');
    const what = `file: Unable to open trace file "${path}", err = 13`;
    const otherwise = 'or name a regular file, no link, in a folder where nobody may write';
    assert.deepEqual(found(path), [what, `install -o nobody -m 600 /dev/null ${path}, ${otherwise}`]);
    await writeFile(path, 'lines', { mode: 0o600 });
    assert.deepEqual(found(path), [what, `chown nobody ${path}, ${otherwise}`]);
  },
);

test('popper check says so where fronts cannot even see the folder', { skip }, async (t) => {
  const folder = await folderOf(t);
  await chmod(folder, 0o700);
  const path = join(folder, 'trace');
  await writeFile(path, '');
  const what = `file: Unable to open trace file "${path}", err = 13`;
  const fix = `${folder} is closed to nobody: setfacl -m u:nobody:x ${folder}, or name a regular file, no link, in a folder where nobody may write`;
  assert.deepEqual(found(path), [what, fix]);
  // However deep it lies, and whether it is there.
  assert.deepEqual(found(join(folder, 'deep', 'down')), [
    what.replace(path, join(folder, 'deep', 'down')),
    fix,
  ]);
});

test('popper check tries a folder for names of any length that the system takes', { skip }, async (t) => {
  const folder = await folderOf(t);
  await chown(folder, nobody, nobody);
  const longest = join(folder, 't'.repeat(255));
  assert.deepEqual(found(longest), [`the trace can be written to ${longest}`]);
  assert.deepEqual(await readdir(folder), []);
  assert.match(found(`${longest}t`)[0] ?? '', /err = 36$/);
});

test('popper check is content where fronts can write it, and leaves nothing there', { skip }, async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, 'trace');
  await chown(folder, nobody, nobody);
  assert.deepEqual(found(path), [`the trace can be written to ${path}`]);
  assert.deepEqual(await readdir(folder), []);
  await chown(folder, 0, 0);
  await writeFile(path, 'lines', { mode: 0o600 });
  await chown(path, nobody, nobody);
  assert.deepEqual(found(path), [`the trace can be written to ${path}`]);
});
