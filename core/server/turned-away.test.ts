import assert from 'node:assert/strict';
import { test } from 'node:test';

import { loggerTo } from '../log/logger.ts';
import { memoryHost, memoryMaildrop } from '../testing.ts';
import { running, SocketClient } from './testing/daemon-under-test.ts';
import { TurnedAway } from './turned-away.ts';

/** What the log was told, and a clock that stands still until it is set. */
function begin() {
  const told: (readonly [number: unknown, address: unknown])[] = [];
  const log = loggerTo(({ fields }) => told.push([fields['turnedAway'], fields['address']]));
  const clock = { nowMs: 0 };
  return { told, clock, turnedAway: new TurnedAway(log, 'no room', () => clock.nowMs) };
}

test('a flood of clients costs the log a line a minute, and none is left uncounted', () => {
  const { told, clock, turnedAway } = begin();
  turnedAway.add({ address: '192.0.2.1' });
  for (let client = 0; client < 500; client += 1) turnedAway.add({ address: '192.0.2.2' });
  clock.nowMs = 59_999;
  turnedAway.speakIfDue();
  assert.deepEqual(told, [[1, '192.0.2.1']]);
  clock.nowMs = 60_000;
  turnedAway.add({ address: '192.0.2.3' });
  assert.deepEqual(told.slice(1), [[501, '192.0.2.3']]);
});

test('when the flood is over, the next client that leaves makes the log complete', () => {
  const { told, clock, turnedAway } = begin();
  turnedAway.add({ address: '192.0.2.1' });
  turnedAway.add({ address: '192.0.2.2' });
  clock.nowMs = 90_000;
  turnedAway.speakIfDue();
  turnedAway.speakIfDue();
  assert.deepEqual(told, [
    [1, '192.0.2.1'],
    [1, '192.0.2.2'],
  ]);
});

test('a daemon that turns many away says so at once, and how many at its end', async () => {
  const limits = { connections: 1, connectionsPerAddress: 1 };
  const { daemon, port, log } = await running(memoryHost(memoryMaildrop([])), { limits });
  const first = new SocketClient(port);
  await first.hears(/\+OK/);
  for (let client = 0; client < 5; client += 1) {
    assert.match(await new SocketClient(port).ended(), /^-ERR \[SYS\/TEMP\] too many connections/);
  }
  const said = (): readonly unknown[] =>
    log.filter(({ message }) => message === 'too many connections').map(({ fields }) => fields['turnedAway']);
  assert.deepEqual(said(), [1]);
  await daemon.stop();
  assert.deepEqual(said(), [1, 4]);
  first.socket.destroy();
});
