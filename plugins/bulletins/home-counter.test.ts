import assert from 'node:assert/strict';
import { chmod, lstat, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { BulletinSite } from './testing/bulletin-site.ts';

const isRoot = process.getuid?.() === 0;

describe('X4: .popbull in the home', () => {
  const options = { counters: 'home' } as const;

  test('has one line and no reader but its user, and nothing is left beside it', async (t) => {
    const site = await BulletinSite.make(t, { options });
    const counter = await site.makeHome('ann');
    await site.put('7.x');
    await site.session('ann');
    assert.equal(await readFile(counter, 'latin1'), '7\n');
    assert.equal((await lstat(counter)).mode & 0o777, 0o600);
    await site.put('8.x');
    await site.session('ann');
    assert.equal(await readFile(counter, 'latin1'), '8\n');
    assert.deepEqual(await readdir(site.homeOf('ann')), ['.popbull']);
  });

  for (const [content, subjects] of [
    ['1\n', ['2.b', '3.c']],
    ['2\r\n', ['3.c']],
    ['2', ['3.c']],
    ['02 bulletins\n', ['3.c']],
    ['99\n', []],
    ['', []],
    ['\n2\n', []],
    ['-1\n', []],
    ['no number', []],
    ['\0\0\0\0', []],
    ['99999999999999999999\n', []],
  ] as const) {
    test(`that says ${JSON.stringify(content)}: ${subjects.length} of three bulletins come`, async (t) => {
      const site = await BulletinSite.make(t, { options });
      const counter = await site.makeHome('ann');
      await writeFile(counter, content);
      for (const name of ['1.a', '2.b', '3.c']) await site.put(name);
      assert.deepEqual(await site.subjects('ann'), subjects);
      assert.equal(await readFile(counter, 'latin1'), content === '99\n' ? '99\n' : '3\n');
    });
  }

  test('that is a link is not followed, neither to be read nor to be written', async (t) => {
    const site = await BulletinSite.make(t, { options });
    const counter = await site.makeHome('ann');
    const target = join(site.folder, 'target');
    await writeFile(target, '0\n');
    await symlink(target, counter);
    await site.put('1.a');
    assert.deepEqual(await site.session('ann', 'STAT'), ['+OK 0 0', '+OK bye']);
    assert.equal(await readFile(target, 'latin1'), '0\n');
    assert.ok((await lstat(counter)).isSymbolicLink());
    assert.match(site.logged, /^Unable to create \.popbull file \(40\) /m);
  });

  test('whose successor is a link, a pipe or has another name is not written through', async (t) => {
    const site = await BulletinSite.make(t, { options });
    const counter = await site.makeHome('ann');
    await writeFile(counter, '0\n');
    const target = join(site.folder, 'target');
    await writeFile(target, 'precious\n');
    await symlink(target, `${counter}.next`);
    await site.put('1.a');
    assert.deepEqual(await site.session('ann', 'STAT'), ['+OK 0 0', '+OK bye']);
    assert.equal(await readFile(target, 'latin1'), 'precious\n');
    await rm(`${counter}.next`);
    assert.deepEqual(await site.subjects('ann'), ['1.a']);
  });

  test('in a home that is not there: no bulletins, no end of the session, and a line in the log', async (t) => {
    const site = await BulletinSite.make(t, { options });
    await site.put('1.a');
    assert.deepEqual(await site.session('ann', 'STAT'), ['+OK 0 0', '+OK bye']);
    assert.match(site.logged, /^Unable to create \.popbull file \(2\) /m);
  });

  // Root may write everywhere; counter.test.ts has this case for it.
  const readOnlyHome = async (t: TestContext): Promise<void> => {
    const site = await BulletinSite.make(t, { options });
    const counter = await site.makeHome('ann');
    await writeFile(counter, '0\n');
    await chmod(site.homeOf('ann'), 0o500);
    await site.put('1.a');
    assert.deepEqual(await site.session('ann', 'STAT'), ['+OK 0 0', '+OK bye']);
    assert.match(site.logged, /^Unable to create \.popbull file \(13\) /m);
    await chmod(site.homeOf('ann'), 0o700);
    assert.deepEqual(await site.subjects('ann'), ['1.a']);
  };
  if (!isRoot)
    test('in a read-only home: the same, and the bulletin comes when it can be counted', readOnlyHome);
});
