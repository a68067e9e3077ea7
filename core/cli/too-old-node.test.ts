import { match, strictEqual as equal } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const shim = join(import.meta.dirname, '../bin/popper.js');
const pretended = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.0'})`;

/** The program in a folder that lies there, under a Node that is too old for it. */
async function refusalIn(t: TestContext, place: string): Promise<{ folder: string; stderr: string }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'popper-old-node-')));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, place, 'bin'), { recursive: true });
  await writeFile(join(folder, place, 'package.json'), '{ "type": "module" }');
  await cp(shim, join(folder, place, 'bin/popper.js'));
  const args = ['--import', pretended, join(folder, place, 'bin/popper.js'), 'serve'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: tmpdir(), encoding: 'utf8' });
  equal(status, 2);
  match(stderr, /^popper needs Node 22\.18 or newer, and this is 20\.19\.0 \(/);
  return { folder, stderr };
}

for (const [where, place, prefix] of [
  ['beside the packages', 'opt/popper/node_modules/popperd', 'opt/popper'],
  ['in a clone', 'clone/core', 'clone'],
] as const) {
  test(`whoever starts popper under an old Node can type what it says, and has a newer one ${where}`, async (t) => {
    const { folder, stderr } = await refusalIn(t, place);
    equal(
      stderr.split('\n')[1],
      `Install one, or put one beside popper: npm install --prefix ${join(folder, prefix)} node-linux-${process.arch}@24`,
    );
  });
}
