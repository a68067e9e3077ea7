import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { compareBulletins, highestNumber, parseBulletinName } from './bulletin-name.ts';

const sorted = (...names: readonly string[]): readonly string[] =>
  names
    .flatMap((name) => parseBulletinName(name) ?? [])
    .toSorted(compareBulletins)
    .map(({ name }) => name);

test('X4: a bulletin has the number that its name begins with, in decimal, and 9 comes before 10', () => {
  assert.equal(parseBulletinName('23.pophost_down_sunday')?.number, 23);
  assert.equal(parseBulletinName('07')?.number, 7);
  assert.equal(parseBulletinName('0x10')?.number, 0);
  assert.deepEqual(sorted('10.y', '9.x', '1', '07.z'), ['1', '07.z', '9.x', '10.y']);
});

test('X4: two bulletins with the same number are both there, in the order of their names', () => {
  assert.deepEqual(sorted('7.b', '07.a', '7.a'), ['07.a', '7.a', '7.b']);
});

test('X4: a name that does not begin with a digit, or with a number too high, is no bulletin', () => {
  for (const name of ['', '.7', 'README', '-7.x', '٣.x', '2147483649.x', '9'.repeat(400)]) {
    assert.equal(parseBulletinName(name), undefined, name);
  }
  assert.equal(parseBulletinName(`${highestNumber}.last`)?.number, 2_147_483_648);
});

test('a name of three words or more names a group, whatever the rest is', () => {
  const groups = ['24.staff.lunch', '24.staff.lunch.2026', '24.lunch', '24.staff.', '24..x', '24-a.b.c'].map(
    (name) => parseBulletinName(name)?.group,
  );
  assert.deepEqual(groups, ['staff', 'staff', undefined, undefined, undefined, undefined]);
});

test('bulletins are in the order of their numbers, whatever their names', () => {
  const name = fc.tuple(fc.integer({ min: 0, max: highestNumber }), fc.string()).map(([number, rest]) => ({
    number,
    name: `${number}.${rest}`,
  }));
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const numbers = sorted(...names.map((one) => one.name)).map((one) => parseInt(one, 10));
      assert.deepEqual(
        numbers,
        names.map(({ number }) => number).toSorted((one, other) => one - other),
      );
    }),
  );
});
