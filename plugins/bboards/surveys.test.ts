import assert from 'node:assert/strict';
import { rename, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Surveys } from './surveys.ts';
import { BoardSite, mboxOf } from './testing/board-site.ts';

const message = 'Subject: x\n\ny\n';

test('a crowd that enters a board has it looked through once', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [message, message]);
  const surveys = new Surveys();
  const path = site.path('system');
  const stats = await stat(path, { bigint: true });
  const all = await Promise.all(Array.from({ length: 50 }, () => surveys.of(path, stats)));
  assert.deepEqual([new Set(all).size, all[0]?.columns.count], [1, 2]);
  assert.equal(await surveys.of(path, stats), all[0]);
});

test('a board that was posted to, or replaced by one of the same size, is looked through again', async (t) => {
  const site = await BoardSite.make(t);
  const surveys = new Surveys();
  const path = site.path('system');
  const count = async () => (await surveys.of(path, await stat(path, { bigint: true }))).columns.count;
  await site.post('system', [message]);
  const counts = [await count()];
  await site.append('system', message);
  counts.push(await count());
  const both = mboxOf(message, message);
  await writeFile(site.path('new'), both.replace('\n\nFrom ', '\n\nfrom '));
  await rename(site.path('new'), path);
  counts.push(await count());
  assert.deepEqual(counts, [1, 2, 1]);
});

test('who asks while an older version is looked through does not get that', async (t) => {
  const site = await BoardSite.make(t);
  const surveys = new Surveys();
  const path = site.path('system');
  await site.post('system', [`${'x'.repeat(70)}\n`.repeat(700_000)]);
  const older = surveys.of(path, await stat(path, { bigint: true }));
  // Long enough for it to have begun, and not for it to be through.
  await delay(10);
  await site.append('system', message);
  const newer = surveys.of(path, await stat(path, { bigint: true }));
  await older;
  assert.equal((await newer).columns.count, 2);
});

test('boards make room for others, and their highest numbers stay known', async (t) => {
  const site = await BoardSite.make(t);
  const surveys = new Surveys({ maxMessages: 3 });
  const survey = async (name: string) =>
    surveys.of(site.path(name), await stat(site.path(name), { bigint: true }));
  for (const name of ['a', 'b']) await site.post(name, [message, message]);
  const before = await survey('a');
  await survey('b');
  assert.equal(await surveys.maximaOf(site.path('a'), before.stats), 2);
  assert.notEqual(await survey('a'), before);
});

test('a daemon that stops does not wait for a board', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', [message]);
  const surveys = new Surveys();
  surveys.stop();
  const path = site.path('system');
  await assert.rejects(surveys.of(path, await stat(path, { bigint: true })), { name: 'AbortError' });
});
