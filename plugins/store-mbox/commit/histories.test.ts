import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Files } from './files.ts';
import { runHistory } from './testing/history.ts';
import { leaveOutImages } from './testing/leave-out-image.ts';
import { sweepCases, sweepDeaths } from './testing/sweep.ts';

test('no mail is lost, doubled or torn in 24,000 lives of a mailbox, whatever dies when', async () => {
  const events = new Map<string, number>();
  for (let seed = 0; seed < 24_000; seed += 1) {
    const report = await runHistory(seed);
    assert.equal(report.failure, undefined, `seed ${seed}: ${report.events.join(', ')}`);
    for (const event of report.events) events.set(event, (events.get(event) ?? 0) + 1);
  }
  // Lives in which nothing happens prove nothing.
  for (const [event, least] of leastEvents) {
    assert.ok((events.get(event) ?? 0) >= least, `${event}: ${events.get(event)} times, fewer than ${least}`);
  }
});

for (const sweepCase of sweepCases) {
  test(`a process can die at each step, and the power go after recovery, while a user deletes ${sweepCase.title}`, async () => {
    assert.equal(await sweepDeaths(sweepCase, { powerCuts: 8 }), undefined);
  });
}

test('a recovery that acts on what only the cache holds is found', async () => {
  const deafPoints = [
    'recovery: the mailbox as it was found',
    'recovery: the journal as it was read',
    'recovery: the name of the journal',
  ];
  await assertFound({ deafPoints });
});

test('a record that replaces another before its chunk is durable is found', async () => {
  await assertFound({ deafPoints: ['commit: a chunk, before the next record replaces its own'] });
});

test('a record without image for a chunk that overwrites its sources is found', async () => {
  await assertFound({ wrap: leaveOutImages });
});

const leastEvents: readonly (readonly [string, number])[] = [
  ['done', 20_000],
  ['untouched', 200],
  ['pending', 200],
  ['unsynced', 200],
  ['recovery: discarded', 2000],
  ['recovery: finished', 2000],
  ['recovery: rolled forward', 1000],
  ['death in recovery', 1000],
  ['error in recovery', 200],
];

async function assertFound(mistake: { deafPoints?: readonly string[]; wrap?: (files: Files) => Files }) {
  for (let seed = 0; seed < 10_000; seed += 1) {
    if ((await runHistory(seed, mistake)).failure !== undefined) return;
  }
  assert.fail('10,000 histories did not find the mistake');
}
