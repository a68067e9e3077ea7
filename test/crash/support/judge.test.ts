import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Found, judge, type Story } from './judge.ts';
import { fetchedForm, isWhole, letter } from './letters.ts';

const [one, two, twin] = [letter('one', 300), letter('two', 300), letter('twin', 300)];
const uids = ['a', 'b', 'c', 'd'];
const late = letter('late', 300);

/** The client marked the first letter and its connection broke; a letter came since. */
const story: Story = {
  letters: [one, two, twin, twin],
  uids,
  marked: [0],
  answer: undefined,
  delivered: [late],
};
const untouched = found([one, two, twin, twin, late], [...uids, 'e']);
const done = found([two, twin, twin, late], ['b', 'c', 'd', 'e']);

test('what was there before and what was to be there after are both right where no answer came', () => {
  assert.deepEqual(judge(story, untouched), []);
  assert.deepEqual(judge(story, done), []);
});

/** What is said of both states after this answer. */
const after = (answer: string) => [untouched, done].map((state) => judge({ ...story, answer }, state));

test('an answer is held to its word', () => {
  const untrue = ['untrue answer'];
  assert.deepEqual(after('+OK bye'), [untrue, []]);
  assert.deepEqual(after('-ERR [SYS/TEMP] nothing was done'), [[], untrue]);
  assert.deepEqual(after('-ERR [SYS/TEMP] the change was made, but'), [untrue, []]);
  assert.deepEqual(after('-ERR [SYS/TEMP] the change is not finished, log in again'), [[], []]);
});

test('every other state is called by its name', () => {
  const sinsOf = (letters: readonly Buffer[], names: readonly string[]) =>
    judge(story, found(letters, names));
  assert.ok(sinsOf([two, twin, late], ['b', 'c', 'e']).includes('lost'));
  assert.ok(sinsOf([two, twin, twin], ['b', 'c', 'd']).includes('lost'), 'also what came since');
  assert.ok(sinsOf([two, two, twin, twin, late], ['b', 'x', 'c', 'd', 'e']).includes('doubled'));
  assert.ok(sinsOf([two, twin, twin, late], ['b', 'c', 'c', 'e']).includes('doubled'));
  assert.ok(sinsOf([two, twin, twin, late.subarray(0, -9)], ['b', 'c', 'd', 'e']).includes('broken'));
  assert.deepEqual(sinsOf([two, twin, twin, late], ['b', 'c', 'f', 'e']), ['changed uid']);
  assert.ok(sinsOf([twin, two, twin, late], ['c', 'b', 'd', 'e']).includes('third state'));
  assert.deepEqual(judge(story, { ...done, mbox: Buffer.concat([done.mbox, Buffer.from('\0')]) }), [
    'stray octets',
  ]);
});

test('a letter knows whether it is whole', () => {
  const fetched = fetchedForm(one);
  assert.ok(isWhole(fetched));
  for (const octets of [fetched.subarray(1), fetched.subarray(0, -1), Buffer.concat([fetched, fetched])]) {
    assert.equal(isWhole(octets), false);
  }
});

function found(letters: readonly Buffer[], names: readonly string[]): Found {
  return { listing: { uids: names, fetched: letters.map(fetchedForm) }, mbox: Buffer.concat(letters) };
}
