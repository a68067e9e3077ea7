import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type WireEvent } from 'popperd';
import {
  type Client,
  latin1,
  memoryHost,
  memoryMaildrop,
  pipelined,
  testPlugin,
  TestServer,
  type TestServerOptions,
} from 'popperd/testing';

async function trace(
  lines: Client,
  settings: TestServerOptions['settings'] = {},
): Promise<readonly WireEvent[]> {
  const events: WireEvent[] = [];
  const tracer = testPlugin('tracer', ({ hooks }) =>
    hooks.wire.tap('tracer', (event) => void events.push(event)),
  );
  const host = memoryHost(memoryMaildrop(['Subject: private\r\n\r\nsecret text\r\n']));
  await new TestServer([tracer, host], { settings }).converse(lines);
  return events;
}

test('a trace shows who said what, and no password, however it was sent', async () => {
  const clients: readonly Client[] = [
    ['USER mrose', 'PASS secret', 'QUIT'],
    ['user mrose', 'pass secret', 'PASS  secret', 'PaSs secret'],
    [pipelined('USER mrose', 'PASS secret', 'STAT')],
    ['secret'],
    ['PASSsecret', 'PAS secret', ' PASS secret'],
    [latin1('PASS secret\0\r\n'), latin1(`PASS secret${'x'.repeat(300)}\r\n`)],
    ['PASS secret', 'PASS'],
    ['USER mrose secret', 'user mrose PASS secret', 'USER  secret', 'QUIT secret', 'CAPA mrose secret'],
    ['USER mrose', 'PASS secret', 'USER mrose secret', 'QUIT secret'],
    [
      'TOP secret 86',
      'STAT secret',
      'LIST secret',
      'UIDL secret',
      'NOOP secret',
      'RETR secret',
      'DELE 1 secret',
    ],
  ];
  for (const client of clients) {
    for (const replies of ['plain', 'classic'] as const) {
      const events = await trace(client, { replies });
      assert.ok(events.length > 1);
      assert.doesNotMatch(JSON.stringify(events), /secret/i);
    }
  }
});

test('a trace shows which command it was whose arguments it hides, and that a line was no command', async () => {
  const events = await trace(['USER mrose secret', 'PASSsecret', 'QUIT'], { replies: 'classic' });
  assert.deepEqual(
    events.slice(1, -2).map(({ text }) => text),
    [
      'USER ***',
      '-ERR Too many arguments for the user command.',
      '(no command)',
      '-ERR Unknown command: "***".',
    ],
  );
});

test('a trace shows arguments that make no sense where they are no part of a login', async () => {
  const events = await trace(['USER mrose', 'PASS secret', 'TOP 1 x', 'QUIT']);
  assert.ok(events.some(({ text }) => text === 'TOP 1 x'));
});

test('a trace shows commands as they came and the first line of each answer', async () => {
  const events = await trace(['USER mrose', 'PASS secret', 'RETR 1', 'QUIT']);
  assert.deepEqual(
    events.map(({ direction, text }) => `${direction === 'sent' ? 'S' : 'C'}: ${text}`),
    [
      'S: +OK popper ready',
      'C: USER mrose',
      'S: +OK send PASS',
      'C: PASS ***',
      'S: +OK maildrop has 1 message (33 octets)',
      'C: RETR 1',
      'S: +OK 33 octets',
      'C: QUIT',
      'S: +OK bye',
    ],
  );
  assert.deepEqual([...new Set(events.map(({ session }) => session))], ['session-1']);
});

test('a trace shows whose lines they are: of whom USER named, and of who has logged in', async () => {
  const events = await trace(['NOOP', 'USER nobody', 'PASS x', 'USER mrose', 'PASS secret', 'QUIT']);
  assert.deepEqual(
    events.map(({ user }) => user),
    // Greeting, NOOP and its answer; then whoever was named last.
    [3, 4, 6].flatMap((count, index) =>
      Array.from({ length: count }, () => [undefined, 'nobody', 'mrose'][index]),
    ),
  );
  assert.deepEqual([...new Set(events.map(({ peer }) => peer.address))], ['192.0.2.1']);
  const [, last] = await trace(['USER mrose secret']);
  assert.equal(last?.user, undefined);
});
