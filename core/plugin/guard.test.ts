import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { loggerTo, type LogRecord } from '../log/logger.ts';
import { guardAsync } from './guard.ts';
import { PluginsAtWork, type ShowWork } from './plugins-at-work.ts';

/** A tap that never answers, called by a clock that is set by hand. */
function hanging(t: TestContext, deadlineMs: number, show?: ShowWork) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const log: LogRecord[] = [];
  const atWork = new PluginsAtWork();
  atWork.shownBy(show);
  const tap = guardAsync(() => new Promise<void>(() => {}), {
    plugin: 'stuck',
    where: 'hook start',
    deadlineMs,
    slowAfterMs: 5000,
    atWork,
    log: loggerTo((record) => log.push(record)),
  });
  const failed = tap().catch(String);
  return { log, failed };
}

test('a tap that has much time is named after half a minute, long before it counts as hung', async (t) => {
  const { log, failed } = hanging(t, 600_000);
  t.mock.timers.tick(29_999);
  assert.deepEqual(log, []);
  t.mock.timers.tick(1);
  assert.deepEqual(
    log.map(({ message, fields }) => [message, fields]),
    [
      [
        'a plugin has not answered yet',
        { plugin: 'stuck', where: 'hook start', forMs: 30_000, leftMs: 570_000 },
      ],
    ],
  );
  t.mock.timers.tick(570_000);
  assert.match(String(await failed), /stuck.*hook start.*did not answer within 600000 ms/);
  assert.equal(log.length, 1);
});

test('a tap that counts as hung is shown no longer as what is at work', async (t) => {
  const shown: (string | undefined)[] = [];
  const { failed } = hanging(t, 1000, (what) => shown.push(what));
  t.mock.timers.tick(1000);
  await failed;
  assert.deepEqual(shown, [undefined, 'stuck: hook start', undefined]);
});

test('a tap whose time is up by then is named once, as hung', async (t) => {
  const { log, failed } = hanging(t, 30_000);
  t.mock.timers.tick(30_000);
  assert.match(String(await failed), /did not answer within 30000 ms/);
  assert.deepEqual(log, []);
});
