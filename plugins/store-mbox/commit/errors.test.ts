import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Random } from './testing/random.ts';
import { sweep, sweepCases } from './testing/sweep.ts';
import { World } from './testing/world.ts';

for (const sweepCase of sweepCases) {
  test(`the answer is true whichever step fails while a user deletes ${sweepCase.title}`, async () => {
    for (const code of ['EIO', 'ENOSPC', 'EDQUOT']) {
      for (const lasting of [false, true]) {
        let failed = 0;
        // A write is one step a sector, so this is a short write, too.
        for await (const { index, outcome, failure } of sweep(
          sweepCase,
          { code, lasting },
          { powerCuts: 2 },
        )) {
          assert.equal(failure, undefined, `${code} at step ${index}, answered ${JSON.stringify(outcome)}`);
          if (typeof outcome === 'string') failed += 1;
        }
        assert.ok(failed > 0, 'no error was ever told');
      }
    }
  });
}

test('a full disk stops no deletion as long as there is a reserve', async () => {
  for (const { title, messages, change, chunkOctets } of sweepCases) {
    if (change.kind !== 'delete') continue;
    for (let freeOctets = 0; freeOctets < 2048; freeOctets += 64) {
      const world = new World({ random: new Random(1), messages, sectorOctets: 64, chunkOctets });
      world.disk.freeOctets = freeOctets;
      const outcome = await world.change(await world.open(), change);
      assert.equal(
        typeof outcome,
        'object',
        `${title}, ${freeOctets} octets free: ${JSON.stringify(outcome)}`,
      );
      const reserves = world.disk.paths().filter((path) => path.startsWith('/state/pool/'));
      assert.equal(reserves.length, 1, 'the reserve came back');
    }
  }
});

for (const sweepCase of sweepCases.filter(({ change }) => change.kind !== 'delete')) {
  const { title, change } = sweepCase;
  test(`what does not fit on the disk leaves the mailbox as it was (${title})`, async () => {
    const told = new Set<string>();
    for (let freeOctets = 0; freeOctets < 4096; freeOctets += 64) {
      const world = new World({ random: new Random(1), sectorOctets: 64, ...sweepCase });
      world.disk.freeOctets = freeOctets;
      const before = world.content;
      const outcome = await world.change(await world.open(), change);
      told.add(typeof outcome === 'string' ? outcome : 'done');
      if (outcome === 'untouched') assert.deepEqual(world.content, before);
    }
    assert.deepEqual(told, new Set(['untouched', 'done']));
  });
}
