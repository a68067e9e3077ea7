import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { bulletinText, fromLine } from '../testing/bulletin-site.ts';
import { deskAt } from '../testing/desk.ts';

test('popper bulletins list shows all of them in their order, and what keeps one from its users', async (t) => {
  const { site, popper } = await deskAt(t);
  await site.put('10.b', bulletinText('b\x1b[2J', 'Expires: 2020-01-01\n'));
  await site.put('9.a');
  assert.deepEqual(await popper(['list']), {
    code: 0,
    out: '     9  -                   9.a\n    10  2020-01-01 expired  b?[2J\n',
    err: '',
  });
  await site.put('11.c', 'hello');
  const { code, out } = await popper(['list']);
  assert.equal(code, 1);
  assert.match(out, /^ {4}11 {2}-.*NOT DELIVERED: .*11\.c: does not begin with a From_ line.*: put "From /m);
});

test('popper bulletins list says what check warns of, beside the bulletin that it is about', async (t) => {
  const { site, popper } = await deskAt(t);
  await site.put('1.closed', bulletinText('Closed', 'Expires: soon\n'));
  await chmod(site.pathOf('1.closed'), 0o600);
  const { code, out } = await popper(['list']);
  assert.equal(code, 0);
  const [line, ...warnings] = out.trimEnd().split('\n');
  assert.match(line ?? '', /^ {5}1 {2}- +Closed$/);
  assert.match(warnings[0] ?? '', /^ {8}warning: .*1\.closed: does not expire, .*: write a day/);
  assert.match(warnings[1] ?? '', /^ {8}warning: .*1\.closed: not everybody may read it.*: chmod o\+r /);
});

test('popper bulletins preview shows a bulletin as a user gets it', async (t) => {
  const { site, popper } = await deskAt(t);
  await site.put('7.a', bulletinText('a', 'Status: RO\n'));
  const expected = 'From: postmaster@example.org\nTo: ann@example.org\nSubject: a\n\nHello all.\n';
  for (const name of ['7', '7.a']) {
    assert.deepEqual(await popper(['preview', name, 'ann']), { code: 0, out: expected, err: '' });
  }
  assert.deepEqual(await popper(['preview', '8']), {
    code: 1,
    out: '',
    err: 'popper bulletins: there is no bulletin 8\n',
  });
  await site.put('8.b', 'hello');
  assert.match((await popper(['preview', '8'])).err, /does not begin with a From_ line/);
});

describe('popper bulletins status shows how far users are', () => {
  test('whose counters lie in the state folder', async (t) => {
    const { site, popper } = await deskAt(t);
    await site.put('1.a');
    await site.session('bob');
    await site.put('2.b');
    await site.session('ann');
    assert.equal(
      (await popper(['status'])).out,
      '2 bulletins, the highest number is 2\n         2  ann\n         1  bob  (1 at the next login, at most)\n',
    );
  });

  test('and a name that somebody made up cannot steer the terminal', async (t) => {
    const { site, popper } = await deskAt(t);
    const user = 'x\x1b[2J\nann\x9b';
    await mkdir(join(site.state.folderOfUid(4711), 'bulletins', user), { recursive: true });
    await site.put('2.\x1b[2J', `${fromLine}To: x\n\n`);
    assert.equal(
      (await popper(['status'])).out,
      '1 bulletin, the highest number is 2\n       new  x?[2J?ann?\n',
    );
    assert.equal((await popper(['list'])).out, '     2  -                   2.?[2J\n');
  });

  test('whose counters lie in their homes', async (t) => {
    const { site, popper } = await deskAt(t, { counters: 'home' });
    await site.put('1.a');
    await site.makeHome('ann');
    await site.session('ann');
    const [ann, bob] = [site.homeOf('ann'), site.homeOf('bob')];
    assert.match((await popper(['status'])).err, /status HOME/);
    assert.equal(
      (await popper(['status', ann, bob])).out,
      `1 bulletin, the highest number is 1\n         1  ${ann}\n       new  ${bob}\n`,
    );
  });

  test('whatever users put in the place of a counter, which root reads for them', async (t) => {
    const { site, popper } = await deskAt(t, { counters: 'home' });
    await site.put('1.a');
    const kinds = ['pipe', 'endless', 'elsewhere', 'long'] as const;
    for (const user of kinds) await site.makeHome(user);
    const [pipe, endless, elsewhere, long] = kinds.map((user) => join(site.homeOf(user), '.popbull'));
    assert.ok(pipe && endless && elsewhere && long);
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    await symlink('/dev/zero', endless);
    await writeFile(join(site.folder, 'secret'), '4711\n');
    await symlink(join(site.folder, 'secret'), elsewhere);
    await writeFile(long, `1\n${'x'.repeat(1000)}`);
    const { out } = await popper(['status', ...kinds.map((user) => site.homeOf(user))]);
    assert.deepEqual(
      out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.trim().split(' ', 1)[0]),
      ['new', 'new', 'new', '1'],
    );
  });
});
