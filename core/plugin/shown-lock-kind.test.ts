import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PluginsAtWork } from './plugins-at-work.ts';
import { shownLockKind } from './shown-lock-kind.ts';

test('a plugin that makes locks is shown while it does, and with each lock that it has made', async () => {
  const shown: (string | undefined)[] = [];
  const atWork = new PluginsAtWork();
  const during = (): void => assert.deepEqual(shown.splice(0), ['store: lock dotlock']);
  const lock = { refresh: async () => during(), release: async () => (during(), 'released' as const) };
  const kind = shownLockKind(
    {
      name: 'dotlock',
      rootOf: (path) => path,
      tryLock: async () => (during(), lock),
      resume: async () => (during(), undefined),
      clear: async () => during(),
    },
    { plugin: 'store', atWork },
  );
  atWork.shownBy((what) => void (what !== undefined && shown.push(what)));
  const held = await kind.tryLock('/var/mail/mrose');
  assert.ok(typeof held === 'object');
  await held.refresh();
  assert.equal(await held.release(), 'released');
  assert.equal(await kind.resume('/var/mail/mrose'), undefined);
  await kind.clear();
  assert.deepEqual([kind.name, kind.rootOf('/var/mail/')], ['dotlock', '/var/mail/']);
});
