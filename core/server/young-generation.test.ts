import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const module = join(import.meta.dirname, 'young-generation.ts');

test('the young generation grows to 32 MiB and no further, however much survives', async () => {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { setTimeout as delay } from 'node:timers/promises';
    import { limitYoungGeneration } from ${JSON.stringify(module)};
    limitYoungGeneration();
    const young = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size;
    const kept = [];
    for (let turn = 0; turn < 300; turn += 1) {
      for (let index = 0; index < 2000; index += 1) kept.push({ index, text: 'a' + index, more: [turn, index] });
      // Slowly while it grows, for it is looked at now and then.
      await delay(turn < 100 ? 15 : 1);
    }
    process.stdout.write(String(young() / 1024 / 1024) + ' ' + String(kept.length));`;
  const args = ['--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  assert.equal(stdout, '32 600000');
});
