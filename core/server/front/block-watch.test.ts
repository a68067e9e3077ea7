import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'popper-block-'));
after(() => rmSync(folder, { recursive: true }));

const script = (blocks: string): string => `
  import { execSync } from 'node:child_process';
  import { watchForBlocks } from ${JSON.stringify(join(import.meta.dirname, 'block-watch.ts'))};
  watchForBlocks({ afterMs: 1000, log: { level: 'info', format: 'json' }, failed: console.error });
  const untilMs = (ms) => performance.now() + ms;
  async function ofSomePlugin() {
    await null;
    ${blocks}
  }
  setTimeout(() => ofSomePlugin().then(() => setTimeout(() => process.exit(7), 500)), 1000);`;

/** What a process logs in which that runs, some seconds after its start. */
function logged(blocks: string): readonly Record<string, unknown>[] {
  const file = join(folder, 'blocks.mjs');
  writeFileSync(file, script(blocks));
  const args = ['-C', 'popper-source', '--disable-sigusr1', file];
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 7, stderr);
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

test('code that blocks is named though it had waited before, once, and the process goes on', () => {
  const block = 'for (const end = untilMs(6000); performance.now() < end; );';
  const [record, ...more] = logged(block);
  assert.equal(record?.['msg'], 'something blocks all sessions');
  assert.match(String(record?.['at']), /^ofSomePlugin \(\/.*\/blocks\.mjs:\d+\)/);
  assert.deepEqual(more, []);
});

test('a call of the system that waits is told as what it is', () => {
  const [record, ...more] = logged("execSync('sleep 6');");
  assert.match(String(record?.['msg']), /blocks all sessions, and could not be stopped/);
  assert.deepEqual(more, []);
});

test('what takes a moment is no block', () => {
  assert.deepEqual(logged('for (const end = untilMs(200); performance.now() < end; );'), []);
});
