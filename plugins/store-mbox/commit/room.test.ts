import assert from 'node:assert/strict';
import { test } from 'node:test';

import { takeRoom } from './room.ts';

test('room is lent to one at a time, and not twice where it was given back twice', () => {
  for (const octets of [1, 64 * 1024, 64 * 1024 + 1, 4 * 1024 * 1024, 8 * 1024 * 1024]) {
    const first = takeRoom(octets);
    assert.equal(first.octets.length, octets);
    first.giveBack();
    first.giveBack();
    const [second, third] = [takeRoom(octets), takeRoom(octets)];
    assert.notEqual(second.octets.buffer, third.octets.buffer);
    second.giveBack();
    third.giveBack();
  }
});
