import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { loggerTo } from '../../log/logger.ts';
import { Child } from './child.ts';
import { loadPlan } from './load-plan.ts';

test('a configuration that is never loaded is given up, with what it was at', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-plan-'));
  t.after(() => rm(folder, { recursive: true }));
  const entry = join(folder, 'endless.mjs');
  await writeFile(entry, "process.title = 'popper: plan, loading x [slow: apply]'; for (;;);");
  const fork = (): Child =>
    Child.start('plan', { program: { entry, args: [], stateDir: '/nowhere' }, log: loggerTo(() => {}) });
  await assert.rejects(loadPlan(fork, 1000), {
    message:
      'loading the configuration took more than 1000 ms, and was ended at: popper: plan, loading x [slow: apply]',
  });
});
