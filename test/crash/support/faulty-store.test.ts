import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { CrashSite } from './crash-site.ts';
import { letter } from './letters.ts';

test('the store of crash tests knows whom it serves: it keeps the index of a small mailbox in memory alone', async (t) => {
  const site = await CrashSite.make(t);
  await site.restart();
  await site.put('alice', [letter('one', 900), letter('two', 900)]);
  assert.equal((await site.visit('alice', [0])).answer, '+OK bye');
  const names = await readdir(join(site.stateDir, String(process.getuid?.() ?? 0)));
  assert.deepEqual(
    names.filter((name) => name.endsWith('index')),
    [],
  );
});
