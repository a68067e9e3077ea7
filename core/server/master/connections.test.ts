import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';

import { loggerTo } from '../../log/logger.ts';
import type { Crowds } from '../crowds.ts';
import type { Report } from '../ipc/messages.ts';
import { noneTaken } from '../taken.ts';
import { Child } from './child.ts';
import { Connections } from './connections.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-connections-'));
  // It tells the orders that it gets, in the one message that has room for a text.
  await writeFile(
    join(folder, 'front.cjs'),
    `process.on('message', (order) => process.send({ kind: 'failed', reason: JSON.stringify(order) }));
     process.on('disconnect', () => process.exit());
     process.send({ kind: 'leaving' });`,
  );
});
after(() => rm(folder, { recursive: true }));

const tellers = { addresses: [['192.0.2.1', 3]], networks: [], users: [] } satisfies Crowds;
const nobody: Crowds = { addresses: [], networks: [], users: [] };

/** A process that a master takes for a front, and the orders that it has got. */
class Front {
  readonly child: Child;
  readonly orders: Record<string, unknown>[] = [];
  readonly #began = Promise.withResolvers<void>();
  #heard: () => void = () => {};

  constructor(connections: Connections) {
    const program = { entry: join(folder, 'front.cjs'), args: [] };
    this.child = Child.start('front', { program, log: loggerTo(() => {}) });
    this.child.heard = (report) => {
      if (report.kind === 'leaving') this.#began.resolve();
      if (report.kind !== 'failed') return;
      this.orders.push(JSON.parse(report.reason));
      this.#heard();
    };
    connections.attend(this.child);
  }

  get began(): Promise<void> {
    return this.#began.promise;
  }

  /** The first order of this kind from now on, and for this look, where one was asked for. */
  async next(kind: string, look?: number): Promise<Record<string, unknown>> {
    const count = this.orders.length;
    for (;;) {
      const order = this.orders.slice(count).find((one) => one['kind'] === kind && one['look'] === look);
      if (order !== undefined) return order;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }
}

async function begin(t: TestContext, count: number) {
  const connections = new Connections();
  const fronts = Array.from({ length: count }, () => new Front(connections));
  t.after(async () => {
    for (const { child } of fronts) child.kill();
    await Promise.all(fronts.map(({ child }) => child.ended));
  });
  await Promise.all(fronts.map(({ began }) => began));
  // What each heard as it began.
  for (const front of fronts) if (front.orders.length === 0) await front.next('elsewhere');
  return { connections, fronts };
}

const crowds = (why: 'due' | 'sudden' | 'asked', told: Crowds): Report => ({
  kind: 'crowds',
  crowds: told,
  why,
});

test('each is told what the others have: soon where that is sudden, else each second, and as it begins', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { connections, fronts } = await begin(t, 2);
  const [one, other] = fronts;
  assert.ok(one && other);
  const told = () =>
    Promise.all([one, other].map(async (front) => (await front.next('elsewhere'))['crowds']));
  let next = told();
  connections.hear(one.child, crowds('sudden', tellers));
  assert.deepEqual(await next, [nobody, tellers]);
  next = told();
  connections.hear(one.child, crowds('due', nobody));
  t.mock.timers.tick(1000);
  assert.deepEqual(await next, [nobody, nobody]);
  connections.hear(one.child, crowds('due', tellers));
  const third = new Front(connections);
  t.after(() => third.child.kill());
  assert.deepEqual(await third.next('elsewhere'), {
    kind: 'elsewhere',
    taken: noneTaken,
    crowds: tellers,
  });
});

test('whoever asks is told when all who serve have said what they have, or have died', async (t) => {
  const { connections, fronts } = await begin(t, 4);
  const [one, other, third] = fronts;
  assert.ok(one && other && third);
  // The last one does not serve yet.
  for (const { child } of [one, other, third]) connections.hear(child, { kind: 'listening' });
  const asked = [one, other, third].map((front) => front.next('tell'));
  connections.hear(one.child, { kind: 'look', look: 7 });
  await Promise.all(asked);
  const told = one.next('elsewhere', 7);
  connections.hear(other.child, crowds('asked', tellers));
  connections.hear(one.child, crowds('asked', nobody));
  assert.ok(!one.orders.some(({ look }) => look === 7), 'one of them has not answered');
  third.child.kill();
  assert.deepEqual(await told, {
    kind: 'elsewhere',
    taken: noneTaken,
    crowds: tellers,
    look: 7,
  });
});

test('one that does not answer keeps nobody waiting for long', async (t) => {
  const { connections, fronts } = await begin(t, 2);
  const [one, other] = fronts;
  assert.ok(one && other);
  for (const { child } of [one, other]) connections.hear(child, { kind: 'listening' });
  connections.hear(other.child, crowds('due', tellers));
  const askedAtMs = performance.now();
  connections.hear(one.child, { kind: 'look', look: 1 });
  assert.deepEqual((await one.next('elsewhere', 1))['crowds'], tellers);
  assert.ok(performance.now() - askedAtMs < 5000);
});

test('whoever has the oldest stranger makes room for another, and the asker himself where there are none', async (t) => {
  const { connections, fronts } = await begin(t, 3);
  const [asker, old, young] = fronts;
  assert.ok(asker && old && young);
  connections.hear(old.child, {
    kind: 'alive',
    taken: { connections: 1, strangers: { count: 1, oldestMs: 90_000 } },
  });
  connections.hear(young.child, {
    kind: 'alive',
    taken: { connections: 2, strangers: { count: 2, oldestMs: 50 } },
  });
  connections.hear(asker.child, {
    kind: 'alive',
    taken: { connections: 9, strangers: { count: 9, oldestMs: 99_000 } },
  });
  for (let times = 0; times < 5; times += 1) connections.hear(asker.child, { kind: 'makeRoom' });
  // Behind what came before.
  await Promise.all(
    fronts.map(async (front) => {
      const next = front.next('retire');
      front.child.send({ kind: 'retire' });
      await next;
    }),
  );
  const given = fronts.map(({ orders }) => orders.filter(({ kind }) => kind === 'giveWay').length);
  // Where nobody has one any more, the asker's own goes.
  assert.deepEqual(given, [2, 1, 2]);
});
