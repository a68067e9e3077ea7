import { strictEqual as equal } from 'node:assert/strict';
import { test } from 'node:test';

import { ProcessTitle, titleWithWork } from './process-title.ts';

test('the title follows what changes, once a second at most, and ends up right', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const before = process.title;
  t.after(() => {
    process.title = before;
  });
  let sessions = 0;
  let asked = 0;
  const title = new ProcessTitle(() => {
    asked += 1;
    return `popper: ${sessions} sessions`;
  });
  equal(process.title, 'popper: 0 sessions');
  for (sessions = 1; sessions < 1000; sessions += 1) title.changed();
  equal(process.title, 'popper: 0 sessions');
  t.mock.timers.tick(1000);
  equal(process.title, 'popper: 1000 sessions');
  t.mock.timers.tick(5000);
  equal(asked, 2);
  sessions = 7;
  title.changed();
  equal(process.title, 'popper: 7 sessions');
});

test('what a plugin is at is in the title however long the rest is', (t) => {
  const before = process.title;
  t.after(() => {
    process.title = before;
  });
  equal(titleWithWork('popper: alice', undefined), 'popper: alice');
  equal(titleWithWork('popper: alice', 'a: hook commit'), 'popper: alice [a: hook commit]');
  const long = titleWithWork(`popper: ${'x'.repeat(5000)}`, 'a: hook commit');
  process.title = long;
  equal(process.title, long, 'it is not cut');
  equal(/^popper: x.* \[a: hook commit\]$/.test(long), true);
});
