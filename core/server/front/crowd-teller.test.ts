import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import type { Crowds } from '../crowds.ts';
import { Limits } from '../limits.ts';
import { CrowdTeller } from './crowd-teller.ts';

function begin(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const limits = new Limits({ connections: 99, connectionsPerAddress: 8 }, { processes: 2, ofUsers: true });
  const told: [Crowds['addresses'], isSudden: boolean][] = [];
  const teller = new CrowdTeller(limits, ({ addresses }, isSudden) => told.push([addresses, isSudden]));
  return { limits, told, teller };
}

test('what is sudden is told in a moment, with all that comes in it', (t) => {
  const { limits, told } = begin(t);
  for (let count = 0; count < 5; count += 1) limits.admit('192.0.2.1');
  t.mock.timers.tick(19);
  assert.deepEqual(told, []);
  t.mock.timers.tick(1);
  assert.deepEqual(told, [[[['192.0.2.1', 5]], true]]);
  limits.admit('192.0.2.1');
  t.mock.timers.tick(100);
  assert.equal(told.length, 1, 'not again so soon');
  t.mock.timers.tick(100);
  assert.deepEqual(told.at(-1), [[['192.0.2.1', 6]], true]);
});

test('the rest is told with each beat, and that there is nothing any more once', (t) => {
  const { limits, told, teller } = begin(t);
  teller.beat();
  assert.deepEqual(told, []);
  const leave = limits.admit('192.0.2.1');
  teller.beat();
  teller.beat();
  leave?.();
  teller.beat();
  teller.beat();
  const one: Crowds['addresses'] = [['192.0.2.1', 1]];
  assert.deepEqual(told, [
    [one, false],
    [one, false],
    [[], false],
  ]);
  t.mock.timers.tick(1000);
  assert.equal(told.length, 3, 'what was told with a beat is not told again');
});
