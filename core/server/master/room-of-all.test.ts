import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { orderSchema, type Order } from '../ipc/messages.ts';
import { Places } from '../places.ts';
import { longestMs, mostConnections, type Taken } from '../taken.ts';
import { Connections } from './connections.ts';

interface Client {
  readonly atMs: number;
  readonly logIn: () => void;
}

/** Fronts that have places together, on a clock that turns by itself: what one says the others hear at once. */
class Fronts {
  readonly places: readonly Places[];
  readonly #clients: Client[] = [];
  readonly #master = new Connections();
  readonly #members: { readonly ended: Promise<never>; readonly send: (order: Order) => void }[];
  readonly #t: TestContext;
  #nowMs = 0;
  #arrivals = 0;
  admitted = 0;
  mostConnections = 0;

  constructor(t: TestContext, count: number, connections: number) {
    this.#t = t;
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    t.mock.method(performance, 'now', () => this.#nowMs);
    this.#members = Array.from({ length: count }, (_, index) => ({
      ended: new Promise<never>(() => {}),
      send: (order) => this.#obey(index, orderSchema.parse(order)),
    }));
    this.places = Array.from({ length: count }, (_, index) => {
      const makeRoomElsewhere = (): void => this.#hear(index, { kind: 'makeRoom' });
      return new Places({ connections, capacity: Infinity, makeRoomElsewhere }, () => this.#nowMs);
    });
    for (const member of this.#members) this.#master.attend(member);
  }

  get taken(): number {
    return this.places.reduce((sum, { taken }) => sum + taken.connections, 0);
  }

  /** So many come each second, to one or the other; each logs in so much later, and stays. */
  pass(
    ms: number,
    { aSecond, logInAfterMs }: { readonly aSecond: number; readonly logInAfterMs: number },
  ): void {
    for (let passed = 0; passed < ms; passed += 1) {
      this.#nowMs += 1;
      this.#t.mock.timers.tick(1);
      for (const [index, { taken }] of this.places.entries())
        if (this.#nowMs % 1000 === (index * 170) % 1000) this.#hear(index, { kind: 'alive', taken });
      if (this.#nowMs % Math.round(1000 / aSecond) === 0) this.#arrive(logInAfterMs);
      while ((this.#clients[0]?.atMs ?? Infinity) <= this.#nowMs) this.#clients.shift()?.logIn();
      this.mostConnections = Math.max(this.mostConnections, this.taken);
    }
  }

  #arrive(logInAfterMs: number): void {
    this.#arrivals += 1;
    // In no order that fits the number of fronts.
    const places = this.places[((this.#arrivals * 7919) % 104_729) % this.places.length];
    let isThere = true;
    const place = places?.take(() => (isThere = false));
    if (place === undefined || logInAfterMs === Infinity) return;
    this.#clients.push({
      atMs: this.#nowMs + logInAfterMs,
      logIn: () => {
        if (!isThere) return;
        place.keep();
        this.admitted += 1;
      },
    });
  }

  #hear(index: number, report: { kind: 'makeRoom' } | { kind: 'alive'; taken: Taken }): void {
    const member = this.#members[index];
    if (member !== undefined) this.#master.hear(member, report);
  }

  #obey(index: number, order: Order): void {
    const places = this.places[index];
    if (order.kind === 'elsewhere') places?.hear(order.taken);
    if (order.kind !== 'giveWay') return;
    if (order.to === 'other') places?.giveWay();
    else places?.giveUpOldest();
  }
}

const connections = 400;
/** What one front knows of another is up to a second old, and nobody is ended who has logged in meanwhile. */
const newsOfASecond = 100;

for (const count of [2, 3, 4]) {
  test(`${count} fronts have no more connections than there are places, but for a second's arrivals, whoever comes and stays`, (t) => {
    const fronts = new Fronts(t, count, connections);
    fronts.pass(10_000, { aSecond: newsOfASecond, logInAfterMs: 300 });
    const { taken } = fronts;
    fronts.pass(10_000, { aSecond: newsOfASecond, logInAfterMs: 300 });
    t.diagnostic(JSON.stringify({ most: fronts.mostConnections, before: taken, behind: fronts.taken }));
    assert.ok(fronts.mostConnections <= connections + newsOfASecond, `${fronts.mostConnections} at one time`);
    assert.ok(fronts.taken <= taken, 'it does not grow');
  });

  test(`a flood of clients who say nothing has no more places at ${count} fronts, and users get in`, (t) => {
    const fronts = new Fronts(t, count, connections);
    fronts.pass(10_000, { aSecond: newsOfASecond, logInAfterMs: Infinity });
    const { mostConnections: most, taken } = fronts;
    fronts.pass(1000, { aSecond: newsOfASecond, logInAfterMs: 300 });
    t.diagnostic(JSON.stringify({ most, behind: taken, in: fronts.admitted }));
    assert.ok(most <= connections + newsOfASecond, `${most} at one time`);
    assert.ok(fronts.admitted >= 65, `${fronts.admitted} of 70 who came have logged in`);
  });
}

test('no front is told what it cannot take, whatever the others say, and whoever asks', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const master = new Connections();
  const orders: Order[] = [];
  const send = (order: Order): void => void orders.push(orderSchema.parse(order));
  const [one, other, third] = Array.from({ length: 3 }, () => ({
    ended: new Promise<never>(() => {}),
    send,
  }));
  assert.ok(one && other && third);
  for (const front of [one, other, third]) master.attend(front);
  const most = { connections: mostConnections, strangers: { count: mostConnections, oldestMs: longestMs } };
  for (const taken of [most, { connections: 0, strangers: { count: 5, oldestMs: 1 } }]) {
    for (const front of [one, other]) master.hear(front, { kind: 'alive', taken });
    for (let times = 0; times < 5; times += 1) master.hear(third, { kind: 'makeRoom' });
    // All are told.
    t.mock.timers.tick(1000);
  }
  assert.equal(orders.filter(({ kind }) => kind === 'giveWay').length, 10);
});
