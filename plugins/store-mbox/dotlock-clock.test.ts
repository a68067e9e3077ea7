import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, mock } from 'node:test';

import { realFiles } from './commit/index.ts';
import { tryDotlock } from './dotlock.ts';

// In a file of its own, for the process goes on distrusting its clock.
it('a dotlock that looks old because the clock was set is not broken', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-clock-'));
  try {
    const path = join(folder, 'mrose');
    const before = new Date(Date.now() - 301_000);
    mock.timers.enable({ apis: ['Date'], now: before });
    await realTurn();
    await tryFreely(join(folder, 'somebody'));
    mock.timers.setTime(before.getTime() + 301_000);
    await writeFile(`${path}.lock`, 'another');
    await utimes(`${path}.lock`, before, before);
    assert.equal(await tryDotlock(realFiles, path, 300_000), 'busy');
  } finally {
    mock.timers.reset();
    await rm(folder, { recursive: true });
  }
});

const realTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function tryFreely(path: string): Promise<void> {
  const held = await tryDotlock(realFiles, path, 300_000);
  assert.ok(typeof held !== 'string');
  await held.release();
}
