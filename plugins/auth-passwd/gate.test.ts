import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Busy, Gate } from './gate.ts';

const never = new AbortController().signal;

test('a flood of logins runs a few at a time, in order, and the rest is sent away at once', async () => {
  const gate = new Gate({ running: 2, waiting: 3 });
  const started: number[] = [];
  const releases: (() => void)[] = [];
  const work = (id: number) => (): Promise<number> => {
    started.push(id);
    return new Promise((resolve) => releases.push(() => resolve(id)));
  };
  const runs = [1, 2, 3, 4, 5].map((id) => gate.run(work(id), never));
  await assert.rejects(gate.run(work(6), never), Busy);
  assert.deepEqual(started, [1, 2]);
  for (const run of runs) {
    releases.shift()?.();
    await run;
  }
  assert.deepEqual(started, [1, 2, 3, 4, 5]);
  assert.equal(await gate.run(async () => 7, never), 7);
});

test('a client that leaves while it waits makes room for another', async () => {
  const gate = new Gate({ running: 1, waiting: 1 });
  const first = Promise.withResolvers<string>();
  const running = gate.run(() => first.promise, never);
  const client = new AbortController();
  const left = gate.run(async () => assert.fail('the client had left'), client.signal);
  client.abort(new Error('left'));
  await assert.rejects(left, /left/);
  const next = gate.run(async () => 'next', never);
  first.resolve('first');
  assert.deepEqual(await Promise.all([running, next]), ['first', 'next']);
  await assert.rejects(
    gate.run(async () => 'late', client.signal),
    /left/,
  );
});

test('work that fails gives its place back', async () => {
  const gate = new Gate({ running: 1, waiting: 0 });
  await assert.rejects(
    gate.run(() => Promise.reject(new Error('broken')), never),
    /broken/,
  );
  assert.equal(await gate.run(async () => 'well', never), 'well');
});
