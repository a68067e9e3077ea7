import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/** Nobody has this one, so no line of the passwd file has a home for it. */
const uid = 54_321;
const skip = process.getuid?.() === 0 ? false : 'only root can be somebody whom the system does not know';

test('a config is read by a user without HOME and without a line in the passwd file', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-homeless-'));
  t.after(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  const file = join(folder, 'popper.config.yaml');
  await writeFile(file, 'listen: [{ port: 0 }]\nstateDir: nowhere/var\nplugins: []\n', { mode: 0o644 });
  const popper = join(import.meta.dirname, '../bin/popper.js');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['-C', 'popper-source', popper, 'check', '-c', file],
    { uid, gid: uid, cwd: '/', env: { PATH: process.env['PATH'] }, encoding: 'utf8' },
  );
  assert.equal(stderr, '');
  assert.match(stdout, /^problem: stateDir: .* uid 54321 cannot make it/m);
});
