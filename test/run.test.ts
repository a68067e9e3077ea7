import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
/** One that needs nothing, and takes no time. */
const someTest = 'core/did-you-mean.test.ts';

test('CI that is not root fails at once and says why, for its tests of isolation would be skipped', () => {
  const { status, stdout, stderr } = runAs(1000, { CI: 'true' });
  assert.equal(status, 1);
  assert.equal(stdout, '', 'nothing was installed or tested');
  assert.match(stderr, /^CI=true needs root: [^\n]+\n$/);
});

test('whoever is no root runs the tests on his machine all the same', () => {
  const { status, stdout } = runAs(1000, {});
  assert.equal(status, 0, stdout);
  assert.match(stdout, /pass [1-9]/);
});

/** `npm test` of one file, by a process that takes itself for this user. */
function runAs(uid: number, env: Readonly<Record<string, string>>) {
  const disguise = `data:text/javascript,process.getuid = () => ${uid};`;
  return spawnSync(process.execPath, ['--import', disguise, 'test/run.mjs', someTest], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
}
