import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import type { Crowds } from '../crowds.ts';
import type { Report } from '../ipc/messages.ts';
import { Limits } from '../limits.ts';
import { CrowdTeller } from './crowd-teller.ts';

function begin(t: TestContext, tell = async (): Promise<void> => {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const limits = new Limits({ connections: 99, connectionsPerAddress: 8 }, { processes: 2, ofUsers: true });
  const told: Report[] = [];
  const teller = new CrowdTeller(limits, {
    tell: (report) => {
      told.push(report);
      return tell();
    },
  });
  return { limits, told, teller };
}

const crowds = (why: 'due' | 'sudden' | 'asked', ...addresses: Crowds['addresses']): Report => ({
  kind: 'crowds',
  crowds: { addresses, networks: [], users: [] },
  why,
});

test('what is sudden is told in a moment, with all that comes in it', async (t) => {
  const { limits, told } = begin(t);
  for (let count = 0; count < 5; count += 1) limits.admit('192.0.2.1');
  t.mock.timers.tick(19);
  assert.deepEqual(told, []);
  t.mock.timers.tick(1);
  assert.deepEqual(told, [crowds('sudden', ['192.0.2.1', 5])]);
  await turn();
  for (let count = 0; count < 2; count += 1) limits.admit('192.0.2.1');
  t.mock.timers.tick(100);
  assert.equal(told.length, 1, 'not again so soon');
  t.mock.timers.tick(100);
  assert.deepEqual(told.at(-1), crowds('sudden', ['192.0.2.1', 7]));
});

test('what is sudden stays so when a beat comes before it', (t) => {
  const { limits, told, teller } = begin(t);
  for (let count = 0; count < 2; count += 1) limits.admit('192.0.2.1');
  teller.beat();
  assert.deepEqual(told, [crowds('sudden', ['192.0.2.1', 2])]);
});

test('the rest is told with each beat, and that there is nothing any more once', async (t) => {
  const { limits, told, teller } = begin(t);
  const beat = async (): Promise<void> => {
    teller.beat();
    await turn();
  };
  await beat();
  assert.deepEqual(told, []);
  limits.admit('192.0.2.1');
  const leave = limits.admit('192.0.2.1');
  await beat();
  await beat();
  leave?.();
  await beat();
  await beat();
  const two: Crowds['addresses'][number] = ['192.0.2.1', 2];
  assert.deepEqual(told, [crowds('sudden', two), crowds('due', two), crowds('due')]);
  t.mock.timers.tick(1000);
  assert.equal(told.length, 3, 'what was told with a beat is not told again');
});

test('a master that does not read is told nothing more meanwhile', async (t) => {
  const { promise: isRead, resolve } = Promise.withResolvers<void>();
  const { limits, told, teller } = begin(t, () => isRead);
  for (let count = 0; count < 2; count += 1) limits.admit('192.0.2.1');
  for (let count = 0; count < 3; count += 1) teller.beat();
  assert.equal(told.length, 1);
  resolve();
  await turn();
  teller.beat();
  assert.equal(told.length, 2);
});

test('all who ask while others are asked are answered together, by a look that begins after they did', async (t) => {
  const { limits, told, teller } = begin(t);
  limits.hear({ addresses: [['192.0.2.1', 8]], networks: [], users: [] });
  const answers: string[] = [];
  const ask = (who: string): void =>
    void limits.admitAfterLook('192.0.2.1')?.then((leave) => answers.push(`${who} ${leave !== undefined}`));
  ask('first');
  await turn();
  for (const who of ['second', 'third']) ask(who);
  await turn();
  assert.deepEqual(told, [{ kind: 'look', look: 1 }]);
  teller.heard(1);
  await turn();
  assert.deepEqual(answers, ['first false']);
  t.mock.timers.tick(50);
  await turn();
  assert.deepEqual(told.at(-1), { kind: 'look', look: 2 });
  teller.heard(1);
  await turn();
  assert.equal(answers.length, 1, 'that was the answer to another');
  limits.hear({ addresses: [['192.0.2.1', 6]], networks: [], users: [] });
  teller.heard(2);
  await turn();
  assert.deepEqual(answers.slice(1), ['second true', 'third true']);
});

test('where nobody answers, what is known decides', async (t) => {
  const { limits } = begin(t);
  limits.hear({ addresses: [['192.0.2.1', 8]], networks: [], users: [] });
  const looking = limits.admitAfterLook('192.0.2.1');
  await turn();
  t.mock.timers.tick(750);
  assert.equal(await looking, undefined);
});

test('the master is told whenever it asks, also that there is nobody', (t) => {
  const { told, teller } = begin(t);
  teller.answer();
  assert.deepEqual(told, [crowds('asked')]);
});
