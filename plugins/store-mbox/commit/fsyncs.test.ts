import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { runHistory } from './testing/history.ts';
import { sweep, sweepCases, sweepDeaths } from './testing/sweep.ts';

/** Every fsync of commit, append, rewrite and recovery. Taking away any one loses, doubles or tears somebody's mail. */
const points = [
  'begin: the first record, which decides',
  'begin: the name of the journal',
  'abandon: the journal says that nothing will happen',
  'abandon: the name of the journal is gone',
  'commit: a later record',
  'commit: a chunk, before the next record replaces its own',
  'commit: the cut, before the journal goes',
  'commit: the only cut',
  'append: the room, before the content',
  'append: the content, before the journal goes',
  'append: the room is taken back',
  'rewrite: the room, before what it holds',
  'rewrite: what the mailbox grew by, before old octets go',
  'rewrite: the old octets, before the journal goes',
  'rewrite: the room is taken back',
  'recovery: the journal as it was read',
  'recovery: the name of the journal',
  'recovery: the mailbox as it was found',
  'recovery: the chunk done again',
  'recovery: the content done again',
  'recovery: the new octets done again',
  'always: the journal is done',
];

for (const point of points) {
  test(`mail is lost, doubled or torn without waiting for the disk at "${point}"`, async () => {
    const found =
      (await foundByHistories(point, { from: 0, to: 300 })) ||
      (await foundByDeaths(point)) ||
      (await foundByHistories(point, { from: 300, to: 3000 })) ||
      (await foundByErrors(point)) ||
      (await foundByHistories(point, { from: 3000, to: 40_000 }));
    assert.ok(found, 'nobody misses this fsync: remove it, or teach the disk why it is needed');
  });
}

test('the list names every place in the code that waits for the disk', async () => {
  const named = new Set<string>();
  for (const name of await readdir(import.meta.dirname)) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const source = await readFile(new URL(name, import.meta.url), 'utf8');
    for (const [call] of source.matchAll(waits)) {
      const point = /'([^']*)'/.exec(call)?.[1];
      assert.ok(point !== undefined || handsOn.test(call), `${name}: which point is this? ${call}`);
      if (point !== undefined) named.add(point);
    }
  }
  // Making reserves is no part of a commit: their journal is synced as any other.
  const expected = [...points, 'reserve: its name', 'reserve: its space'];
  assert.deepEqual([...named].toSorted(), expected.toSorted());
});

/** A call that reaches fsync in the end. */
const waits = /\.(?:content|everything|name|beyondNeed|sync|dataSync|syncFolder|datasync)\([^;]*?\)/g;
/** A call whose point comes from the caller, or the file layer's own. */
const handsOn = /point\)|\.(?:sync|datasync)\(\)/;

async function foundByHistories(point: string, seeds: { readonly from: number; readonly to: number }) {
  for (let seed = seeds.from; seed < seeds.to; seed += 1) {
    if ((await runHistory(seed, { deafPoints: [point] })).failure !== undefined) return true;
  }
  return false;
}

/** A death at a certain step is rare in histories; here is one at each. */
async function foundByDeaths(point: string): Promise<boolean> {
  for (const sweepCase of sweepCases) {
    const failure = await sweepDeaths(sweepCase, { powerCuts: 8, deafPoints: [point] });
    if (failure !== undefined) return true;
  }
  return false;
}

async function foundByErrors(point: string): Promise<boolean> {
  const [, , middle] = sweepCases;
  assert.ok(middle !== undefined);
  for (const lasting of [true, false]) {
    for await (const { failure } of sweep(
      middle,
      { code: 'EIO', lasting },
      { powerCuts: 150, deafPoints: [point] },
    )) {
      if (failure !== undefined) return true;
    }
  }
  return false;
}
