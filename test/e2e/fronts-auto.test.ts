import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { test, type TestContext } from 'node:test';

import { childrenOf, greetAll, makeSiteOfFronts } from './support/fronts.ts';

for (const [what, fronts] of [
  ["fronts: 'auto'", 'auto'],
  ['a configuration without fronts', undefined],
] as const) {
  test(`${what} has as many as there are processors, and clients meet them all`, async (t) => {
    assert.equal(await countFronts(t, fronts), availableParallelism());
  });

  test(`${what} has one where the daemon may use one processor only`, async (t) => {
    const [, first = ''] =
      /^Cpus_allowed_list:\t(\d+)/m.exec(await readFile('/proc/self/status', 'latin1')) ?? [];
    assert.equal(await countFronts(t, fronts, ['taskset', '-c', first]), 1);
  });
}

async function countFronts(
  t: TestContext,
  fronts: 'auto' | undefined,
  launcher?: readonly string[],
): Promise<number> {
  const site = await makeSiteOfFronts(t, { config: { fronts } });
  const daemon = await site.start(undefined, launcher);
  const children = await childrenOf(daemon);
  const met = await greetAll(daemon.where, children.length);
  assert.deepEqual(new Set(met.map(({ pid }) => pid)), new Set(children));
  return children.length;
}
