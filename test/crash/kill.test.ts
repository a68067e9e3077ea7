import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { Lane, type Point, type Verdict } from './support/lane.ts';
import { letters, patterns } from './support/letters.ts';
import { type FileCall, type Place, places } from './support/plan.ts';

/**
 * POPPER_CRASH_SWEEP=full tries every place in each call, for a mailbox with an index and for one without. Otherwise each
 * call has one place, and the calls take turns: every other one dies in a mailbox that has an index.
 */
const isFull = process.env['POPPER_CRASH_SWEEP'] === 'full';
const lanes = 2;

for (const [number, pattern] of Object.keys(patterns).entries()) {
  test(`U5: a daemon that is killed anywhere in an update (${pattern}) loses, doubles and breaks no message`, async (t) => {
    const counting = await Lane.open(t);
    const points: Point[] = [heard(pattern)];
    for (const isKnown of [false, true]) {
      const calls = await counting.site.count(`counted-${isKnown}`, pattern, isKnown);
      const all = pointsOf(calls, number, { pattern, isKnown });
      points.push(...all.filter(({ index = 0 }) => isFull || ((index + number) % 2 === 1) === isKnown));
    }
    await counting.close();
    await sweep(t, points);
  });
}

test('a daemon that is killed anywhere in a first login leaves the maildrop as it was', async (t) => {
  const counting = await Lane.open(t);
  await counting.site.restart();
  await counting.site.put('counted', letters);
  await counting.site.plan('counted', { moment: 'login' });
  await counting.site.visit('counted', []);
  const calls = await counting.site.callsOf('counted');
  await counting.close();
  await sweep(t, pointsOf(calls, 0, { pattern: undefined, isKnown: false }));
});

test('a daemon that is killed while it recovers from being killed does no harm either', async (t) => {
  const counting = await Lane.open(t);
  const points: Point[] = [];
  for (const [number, pattern] of ['first', 'odd', 'middle', 'random'].entries()) {
    for (const isKnown of [false, true]) {
      const calls = await counting.site.count(`counted-${number}-${isKnown}`, pattern, isKnown);
      points.push(...dyingAgain(pattern, isKnown, calls, number));
    }
  }
  await counting.close();
  const verdicts = await sweep(t, points);
  assert.ok(verdicts.filter(({ diedAgain }) => diedAgain === 2).length > points.length / 4);
});

/** From the first record in the journal on there is something to recover; the recovery makes about 14 calls. */
function dyingAgain(
  pattern: string,
  isKnown: boolean,
  calls: readonly FileCall[],
  number: number,
): readonly Point[] {
  const points: Point[] = [];
  const decided = calls.findIndex(({ call, path }) => call === 'dataSync' && path.endsWith('.j'));
  for (let index = decided; index < calls.length; index += isFull ? 2 : 6) {
    for (let again = 0; again < 14; again += isFull ? 3 : 14) {
      const step = (again + index + number) % 14;
      if ((step % 2 === 0) !== isKnown) continue;
      const agent = agentOf(step);
      points.push({ pattern, index, place: 'after', isKnown, agent, again: [step, (step * 5) % 14] });
    }
  }
  return points;
}

/** Tries them all, and says how it went. */
async function sweep(t: TestContext, points: readonly Point[]): Promise<readonly Verdict[]> {
  const waiting = points.values();
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    const lane = await Lane.open(t);
    for (const point of waiting) verdicts.push(await lane.try(point));
    await lane.close();
  };
  // All of them end before the test does, or one would start a daemon that nobody stops.
  const ended = await Promise.allSettled(Array.from({ length: lanes }, work));
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
  const bad = verdicts.filter(({ sins, afterwards }) => sins.length + afterwards.length > 0);
  const slowestMs = Math.max(...verdicts.map(({ loginMs }) => loginMs));
  t.diagnostic(
    `${verdicts.length} points tried, ${bad.length} bad; open again within ${Math.ceil(slowestMs)} ms of the start`,
  );
  assert.equal(verdicts.length, points.length);
  assert.deepEqual(
    bad.map(({ point, sins, afterwards }) => ({ ...point, sins, afterwards })),
    [],
    'points where something went wrong',
  );
  return verdicts;
}

function pointsOf(
  calls: readonly FileCall[],
  number: number,
  told: Pick<Point, 'pattern' | 'isKnown'>,
): Point[] {
  return calls.flatMap(({ call }, index) =>
    chosenPlaces(call === 'write' ? places : places.slice(0, 2), Math.floor((index + number) / 2)).map(
      (place, choice) => ({
        ...told,
        index,
        place,
        agent: agentOf(index + number + choice),
        again: [],
      }),
    ),
  );
}

/** All of them, or another one at each call. */
function chosenPlaces(possible: readonly Place[], serial: number): readonly Place[] {
  return isFull ? possible : possible.slice(serial % possible.length).slice(0, 1);
}

const heard = (pattern: string): Point => ({
  pattern,
  index: undefined,
  place: 'after',
  isKnown: true,
  agent: undefined,
  again: [],
});

const agentOf = (serial: number): Point['agent'] => (['fcntl', undefined, 'dotlock'] as const)[serial % 3];
