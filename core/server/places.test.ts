import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Places } from './places.ts';

const nobody = { count: 0, oldestMs: 0 };

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
  places.hear({ connections: 2, strangers: nobody });
  take('first')?.keep();
  assert.equal(take('second'), undefined);
  places.hear({ connections: 1, strangers: nobody });
  assert.ok(take('third'));
});

/** Places of a process among others, which gets what time it is told. */
function amongOthers(connections: number, capacity: number) {
  const asked: string[] = [];
  const sentAway: string[] = [];
  let nowMs = 0;
  const room = { connections, capacity, makeRoomElsewhere: () => void asked.push('others') };
  const places = new Places(room, () => nowMs);
  const take = (name: string) => places.take(() => sentAway.push(name));
  const later = (ms: number) => void (nowMs += ms);
  return { places, asked, sentAway, take, later };
}

test('where all strangers are in other processes, one there makes room, and no more than there are', () => {
  const { places, asked, take } = amongOthers(3, 10);
  places.hear({ connections: 3, strangers: { count: 2, oldestMs: 0 } });
  take('first')?.keep();
  take('second')?.keep();
  assert.equal(asked.length, 2);
  assert.equal(take('third'), undefined, 'users have all places');
  assert.equal(asked.length, 2);
});

test('the oldest stranger of all processes makes room, wherever he is', () => {
  const { places, asked, sentAway, take, later } = amongOthers(4, 10);
  take('old');
  later(1000);
  take('young');
  places.hear({ connections: 2, strangers: { count: 2, oldestMs: 500 } });
  later(100);
  assert.deepEqual(places.taken, { connections: 2, strangers: { count: 2, oldestMs: 1100 } });
  take('third');
  assert.deepEqual([sentAway, asked], [['old'], []]);
  take('fourth');
  take('fifth');
  assert.deepEqual([sentAway, asked], [['old'], ['others', 'others']]);
  take('sixth');
  assert.deepEqual(sentAway, ['old', 'young']);
});

test('for want of open files here nobody goes elsewhere', () => {
  const { places, asked, sentAway, take } = amongOthers(10, 2);
  places.hear({ connections: 3, strangers: { count: 3, oldestMs: 9000 } });
  take('first');
  take('second')?.keep();
  take('third')?.keep();
  assert.equal(take('fourth'), undefined);
  assert.deepEqual([sentAway, asked], [['first'], []]);
});

test('one who makes room for another process is the oldest stranger, and no user', () => {
  const { places, sentAway, take } = begin(5);
  take('user')?.keep();
  take('old');
  take('young');
  for (let times = 0; times < 3; times += 1) places.giveWay();
  assert.deepEqual(sentAway, ['old', 'young']);
});
