import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Places } from './places.ts';

/** Places, and the names of those who had to give theirs up. */
function begin(connections: number, capacity = Infinity) {
  const sentAway: string[] = [];
  const places = new Places({ connections, capacity });
  return { places, sentAway, take: (name: string) => places.take(() => sentAway.push(name)) };
}

test('a flood of clients who say nothing keeps out none who logs in', () => {
  const { sentAway, take } = begin(3);
  for (let client = 0; client < 100; client += 1) take(`silent ${client}`);
  const user = take('user');
  user?.keep();
  for (let client = 100; client < 200; client += 1) take(`silent ${client}`);
  assert.equal(sentAway.length, 198);
  assert.equal(sentAway[0], 'silent 0', 'the oldest goes first');
  assert.ok(!sentAway.includes('user'));
});

test('when users have all places, nobody has to go and nobody comes in', () => {
  const { sentAway, take } = begin(2);
  const first = take('first');
  first?.keep();
  take('second')?.keep();
  assert.equal(take('third'), undefined);
  first?.leave();
  assert.ok(take('fourth'));
  assert.deepEqual(sentAway, []);
});

test('a place that was left, or lost and then left, is free once and not twice', () => {
  const { sentAway, take } = begin(2);
  const first = take('first');
  first?.leave();
  first?.leave();
  const second = take('second');
  take('third');
  take('fourth');
  assert.deepEqual(sentAway, ['second']);
  second?.leave();
  take('fifth');
  assert.deepEqual(sentAway, ['second', 'third']);
});

test('the process takes no more than it has open files for, whatever the configuration allows', () => {
  const { sentAway, take } = begin(100, 2);
  for (const name of ['first', 'second', 'third']) take(name)?.keep();
  assert.equal(take('fourth'), undefined);
  assert.deepEqual(sentAway, []);
});

test('connections of other processes count among all', () => {
  const { places, take } = begin(3);
  places.elsewhere = 2;
  take('first')?.keep();
  assert.equal(take('second'), undefined);
  places.elsewhere = 1;
  assert.ok(take('third'));
});
