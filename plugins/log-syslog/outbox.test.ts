import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Outbox } from './outbox.ts';
import type { Wire } from './wire.ts';

type Answer = Awaited<ReturnType<Wire['send']>>;

/** An outbox to a receiver that does as it is told. */
function outboxTo(answer: (line: string) => Answer | Promise<Answer>, capacity = 4) {
  const received: string[] = [];
  const news: string[] = [];
  const wire: Wire = {
    open: async () => {},
    close: async () => void news.push('closed'),
    send: async (line) => {
      const said = await answer(String(line));
      if (said === 'sent') received.push(String(line));
      return said;
    },
  };
  const outbox = new Outbox({
    capacity,
    noteOn: (dropped) => Buffer.from(`${dropped} dropped`),
    unreachable: (error) => news.push(`unreachable: ${error instanceof Error ? error.message : ''}`),
    reachedAgain: () => news.push('reached again'),
  });
  const push = (...lines: readonly string[]): void => lines.forEach((line) => outbox.push(Buffer.from(line)));
  return { outbox, wire, push, received, news };
}

async function until(isSo: () => boolean): Promise<void> {
  for (const endMs = performance.now() + 20_000; !isSo(); await delay(5))
    assert.ok(performance.now() < endMs, 'it has not come to that');
}

test('a receiver that is away is told of once, and gets all that waits when it is back', async () => {
  let isAway = true;
  const { outbox, wire, push, received, news } = outboxTo(() => {
    if (isAway) throw new Error('ENOENT');
    return 'sent';
  });
  outbox.start(wire);
  push('a', 'b');
  await until(() => news.length > 0);
  push('c');
  isAway = false;
  await until(() => received.length === 3);
  assert.deepEqual(received, ['a', 'b', 'c']);
  assert.deepEqual(news, ['unreachable: ENOENT', 'reached again']);
  assert.equal(await outbox.close(1000), 0);
});

test('what is too much for the queue is counted, and the count stands where the lines are missing', async () => {
  let isBusy = true;
  const { outbox, wire, push, received } = outboxTo(() => (isBusy ? 'busy' : 'sent'));
  outbox.start(wire);
  push('a', 'b', 'c', 'd', 'e', 'f', 'g');
  isBusy = false;
  await until(() => received.length === 5);
  push('h');
  await until(() => received.length === 6);
  assert.deepEqual(received, ['a', 'b', 'c', 'd', '3 dropped', 'h']);
  assert.equal(await outbox.close(1000), 0);
});

test('a line that the receiver will never take is counted, and holds nothing up', async () => {
  const { outbox, wire, push, received } = outboxTo((line) => (line === 'huge' ? 'refused' : 'sent'));
  outbox.start(wire);
  push('a', 'huge', 'b');
  await until(() => received.length === 3);
  assert.deepEqual(received, ['a', 'b', '1 dropped']);
  assert.equal(await outbox.close(1000), 0);
});

test('what comes before the start waits for it', async () => {
  const { outbox, wire, push, received } = outboxTo(() => 'sent');
  push('a', 'b');
  await delay(1);
  assert.deepEqual(received, []);
  outbox.start(wire);
  assert.equal(await outbox.close(1000), 0);
  assert.deepEqual(received, ['a', 'b']);
});

test('an end waits for what is on its way, and for a deaf receiver no longer than it may', async () => {
  const slow = outboxTo(() => delay(10, 'sent' as const));
  slow.outbox.start(slow.wire);
  slow.push('a', 'b', 'c');
  assert.equal(await slow.outbox.close(10_000), 0);
  assert.deepEqual([slow.received, slow.news], [['a', 'b', 'c'], ['closed']]);

  const deaf = outboxTo(() => new Promise<Answer>(() => {}));
  deaf.outbox.start(deaf.wire);
  deaf.push('a', 'b', 'c', 'd', 'e', 'f');
  assert.equal(await deaf.outbox.close(10), 6);
  deaf.push('g');
  assert.equal(await deaf.outbox.close(10), 6);
});

test('lines that come at any moment are all sent, in their order', async () => {
  const { outbox, wire, push, received } = outboxTo(() => 'sent', 1000);
  outbox.start(wire);
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
  for (const [index, line] of lines.entries()) {
    push(line);
    if (index % 3 === 0) await Promise.resolve();
    if (index % 7 === 0) await delay(0);
  }
  assert.equal(await outbox.close(10_000), 0);
  assert.deepEqual(received, lines);
});

test('whoever else is served has his turn while a long queue is sent', async () => {
  const { outbox, wire, push, received } = outboxTo(() => 'sent', 10_000);
  push(...Array.from({ length: 10_000 }, (_, index) => String(index)));
  outbox.start(wire);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(received.length < 10_000, 'all were sent before anybody else had his turn');
  await until(() => received.length === 10_000);
  assert.equal(await outbox.close(1000), 0);
});
