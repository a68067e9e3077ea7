import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { loggerTo } from '../../log/logger.ts';
import { Child } from './child.ts';
import { LoadFault, loadPlan } from './load-plan.ts';
import { StartPatience } from './start-patience.ts';

/** A process in the place of the one that loads a configuration. */
async function loader(t: TestContext, source: string): Promise<Child> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-plan-'));
  t.after(() => rm(folder, { recursive: true }));
  const entry = join(folder, 'loader.mjs');
  await writeFile(entry, source);
  return Child.start('plan', { program: { entry, args: [] }, log: loggerTo(() => {}) });
}

test('a configuration that is never loaded is given up, with what it was at', async (t) => {
  const child = await loader(t, "process.title = 'popper: plan, loading x [slow: apply]'; for (;;);");
  await assert.rejects(loadPlan(child, new StartPatience(1000, 'load the configuration')), {
    message:
      'a process took more than 1000 ms to load the configuration, and was ended at: popper: plan, loading x [slow: apply]',
  });
});

test('a configuration whose loading ends the process is no configuration', async (t) => {
  for (const [source, how] of [
    ['process.exit(0)', 'exit code 0'],
    ["process.kill(process.pid, 'SIGKILL'); for (;;);", 'SIGKILL'],
  ] as const) {
    const loaded = loadPlan(await loader(t, source), new StartPatience(Infinity));
    await assert.rejects(loaded, (error) => {
      assert.ok(error instanceof LoadFault);
      assert.equal(error.message, `loading the configuration ended without an answer (${how})`);
      assert.equal(error.isKnown, false);
      return true;
    });
  }
});

test('what is wrong with a configuration is told as its loader found it', async (t) => {
  const child = await loader(t, "process.send({ kind: 'failed', reason: 'no port' }, () => process.exit(2))");
  await assert.rejects(loadPlan(child, new StartPatience(Infinity)), {
    message: 'no port',
    isKnown: true,
    exitCode: 2,
  });
});
