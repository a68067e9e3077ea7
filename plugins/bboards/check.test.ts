import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';

import { BoardSite } from './testing/board-site.ts';

test('an operator is told how many boards there are', async (t) => {
  const site = await BoardSite.make(t);
  await site.post('system', []);
  await site.post('system.archive', [], 0o640);
  assert.deepEqual(await site.server.check(), [
    { kind: 'fine', plugin: 'bboards', what: `1 bboard in ${site.path('')}` },
  ]);
});

test('an operator is told of everything that would surprise his users, and how to mend it', async (t) => {
  const boards = { gone: {}, system: { aliases: ['staff'] } };
  const site = await BoardSite.make(t, { boards });
  for (const name of ['system', 'System', 'news']) await site.post(name, []);
  await site.post('staff', [], 0o640);
  await mkdir(site.path('folder'));
  await chmod(site.path('news'), 0o666);
  await writeFile(site.path('news.removed'), 'all');
  const findings = await site.server.check();
  const said = findings.map(({ kind, what }) => `${kind}: ${what.replaceAll(`${site.path('')}/`, '')}`);
  assert.deepEqual(said.toSorted(), [
    `fine: 5 bboards in ${site.path('')}`,
    'problem: news.removed: expected a number of messages, 0 to 999999999',
    'warning: folder is no regular file, so it is no bboard',
    'warning: news can be written to by everybody, so anybody can change what all read',
    'warning: staff is not readable by everybody: XTND BBOARDS does not list it',
    'warning: system and System have one name in different case, and clients may mean either',
    'warning: the alias staff of system is a bboard itself, which is entered by it',
    'warning: the option boards describes gone, and there is no such bboard',
  ]);
  assert.deepEqual(
    findings.filter(({ kind, fix }) => kind !== 'fine' && fix === undefined),
    [],
  );
});

test('an operator is told of a folder that is not there', async (t) => {
  const site = await BoardSite.make(t, { folder: 'gone' });
  const [finding] = await site.server.check();
  assert.match(finding?.what ?? '', /^the bboards in .*\/gone cannot be listed: ENOENT/);
  assert.equal(finding?.kind, 'problem');
});
