import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import { cpuMsOf, memoryKbOf } from './processes.ts';

const busy = 'const until = process.cpuUsage().user + 150_000; while (process.cpuUsage().user < until);';

test("the work of a child that has ended counts as its parent's", async (t) => {
  const program = `
    require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(busy)}]);
    process.stdout.write('done');
    process.stdin.resume();`;
  const parent = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => parent.kill());
  await once(parent.stdout, 'data');
  assert.ok(parent.pid !== undefined);
  assert.ok(cpuMsOf(parent.pid) >= 150);
  assert.ok(memoryKbOf(parent.pid) > 0);
});

test('a process that is not there has used nothing', () => {
  assert.equal(cpuMsOf(2 ** 30), 0);
  assert.equal(memoryKbOf(2 ** 30), 0);
});
