import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { BulletinSite, bulletinText, fromLine } from './testing/bulletin-site.ts';

const isRoot = process.getuid?.() === 0;

describe('a user', () => {
  test('who is new gets no old bulletins, and from then on each new one once', async (t) => {
    const site = await BulletinSite.make(t);
    await site.put('9.x');
    await site.put('10.y');
    assert.deepEqual(await site.subjects('ann'), []);
    assert.equal(await site.counterOf('ann'), '10\n');
    await site.put('11.z');
    assert.deepEqual(await site.subjects('ann'), ['11.z']);
    assert.deepEqual(await site.subjects('ann'), ['11.z']);
    assert.equal(await site.counterOf('ann'), '11\n');
  });

  test('who was there when there was no bulletin gets the first', async (t) => {
    const site = await BulletinSite.make(t);
    assert.deepEqual(await site.subjects('ann'), []);
    assert.equal(await site.counterOf('ann'), '0\n');
    await site.put('1.first');
    assert.deepEqual(await site.subjects('ann'), ['1.first']);
  });

  test('X4: gets them in the order of their numbers, 9 before 10, behind his own mail', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann');
    for (const name of ['10.y', '9.x', '07', '7.b', '100', 'README', '.8.hidden', '2147483649.huge'])
      await site.put(name);
    site.spool.deliver('ann', 'Subject: own\n\n');
    assert.deepEqual(await site.subjects('ann'), ['own', '07', '7.b', '9.x', '10.y', '100']);
    assert.equal(await site.counterOf('ann'), '100\n');
  });

  test('gets an ordinary message: listed, sized as sent, to be deleted, and gone then', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann');
    await site.put('1.news', `${bulletinText('1.news', 'Status: RO\n folded\n')}.\nFrom me\n`);
    const sent = [
      'From: postmaster@example.org',
      'To: ann@mail.example.org',
      'Subject: 1.news',
      '',
      'Hello all.',
      '..',
      'From me',
    ];
    const octets = sent.join('\r\n').length + 2 - 1;
    const said = await site.session('ann', 'STAT', 'LIST', 'RETR 1', 'DELE 1', 'STAT');
    assert.deepEqual(said.slice(0, 3), [`+OK 1 ${octets}`, said[1], `1 ${octets}`]);
    assert.deepEqual(said.slice(5, 12), sent);
    assert.equal(said.at(-1), '+OK bye');
    assert.deepEqual(await site.subjects('ann'), []);
  });

  test('who leaves without QUIT has the bulletin the next time, once', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann');
    await site.put('1.news');
    await site.server.converse(['USER ann', 'PASS any', 'DELE 1']);
    assert.deepEqual(await site.subjects('ann'), ['1.news']);
  });

  test('whose name has a domain is addressed by it', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann@example.net');
    await site.put('1.news');
    const said = await site.session('ann@example.net', 'RETR 1');
    assert.ok(said.includes('To: ann@example.net'));
  });

  test('who is new gets the newest that are for him, as many as newUserBulletins says', async (t) => {
    const options = { newUserBulletins: 2, groups: { staff: ['bob'] } };
    const site = await BulletinSite.make(t, { options });
    for (const name of ['1.a', '3.b', '5.c', '6.staff.lunch']) await site.put(name);
    assert.deepEqual(await site.subjects('ann'), ['3.b', '5.c']);
    assert.deepEqual(await site.subjects('bob'), ['5.c', '6.staff.lunch']);
    await site.put('7.d');
    assert.deepEqual(await site.subjects('ann'), ['3.b', '5.c', '7.d']);
    site.restart({ newUserBulletins: 9 });
    assert.deepEqual(await site.subjects('eve'), ['1.a', '3.b', '5.c', '7.d']);
  });

  test('of a group gets its bulletins, and others do not, then or later', async (t) => {
    const site = await BulletinSite.make(t, { options: { groups: { staff: ['bob'] } } });
    for (const user of ['ann', 'bob']) await site.session(user);
    for (const name of ['1.staff.lunch', '2.ALL.news', '3.plain']) await site.put(name);
    assert.deepEqual(await site.subjects('ann'), ['2.ALL.news', '3.plain']);
    assert.deepEqual(await site.subjects('bob'), ['1.staff.lunch', '2.ALL.news', '3.plain']);
    site.restart({ groups: { staff: ['ann', 'bob'] } });
    assert.deepEqual(await site.subjects('ann'), ['2.ALL.news', '3.plain']);
  });

  test('does not get a bulletin that has expired, and gets one whose Expires: is no date', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann');
    await site.put('1.old', bulletinText('1.old', 'Expires: 2020-01-01\n'));
    await site.put('2.odd', bulletinText('2.odd', 'Expires: soon\n'));
    await site.put('3.new', bulletinText('3.new', 'Expires: Thu, 31 Dec 9998 23:59:00 GMT\n'));
    assert.deepEqual(await site.subjects('ann'), ['2.odd', '3.new']);
    assert.match(site.logged, /so it does not expire .*2\.odd.*soon/);
  });
});

describe('X4: a bulletin that cannot be read is not skipped', () => {
  const faults: Readonly<Record<string, (site: BulletinSite) => Promise<void>>> = {
    'Unable to open bulletin file F (40)': async (site) => symlink('2.bad', site.pathOf('2.bad')),
    'Unable to open bulletin file F (2)': async (site) => symlink('nowhere', site.pathOf('2.bad')),
    'Bulletin F does not start with a valid "From " separator': (site) =>
      site.put('2.bad', 'Subject: x\n\nFrom \n'),
    ...(!isRoot && {
      'Unable to open bulletin file F (13)': async (site: BulletinSite) => {
        await site.put('2.bad');
        await chmod(site.pathOf('2.bad'), 0);
      },
    }),
  };
  for (const [line, spoil] of Object.entries(faults)) {
    test(`and those behind it wait: the log says ${line}`, async (t) => {
      const site = await BulletinSite.make(t);
      await site.session('ann');
      await site.put('1.good');
      await spoil(site);
      await site.put('3.good');
      assert.deepEqual(await site.subjects('ann'), ['1.good']);
      assert.equal(await site.counterOf('ann'), '1\n');
      const wanted = line.replace(' F ', ` ${site.pathOf('2.bad')} `);
      assert.ok(site.server.log.some(({ level, message }) => level === 'warn' && message === wanted));
      await rm(site.pathOf('2.bad'));
      await site.put('2.bad');
      assert.deepEqual(await site.subjects('ann'), ['1.good', '2.bad', '3.good']);
    });
  }

  test('nor is another one with its number, whichever comes first', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann');
    await site.put('2.a');
    await site.put('2.b', 'no bulletin');
    await site.put('2.c');
    assert.deepEqual(await site.subjects('ann'), []);
    assert.equal(await site.counterOf('ann'), '0\n');
    await site.put('2.b');
    assert.deepEqual(await site.subjects('ann'), ['2.a', '2.b', '2.c']);
  });

  test('nor one of a group that is not there: it waits until somebody says who is meant', async (t) => {
    const site = await BulletinSite.make(t, { options: { groups: { staff: ['ann'] } } });
    await site.session('ann');
    await site.put('1.staf.salaries');
    assert.deepEqual(await site.subjects('ann'), []);
    assert.match(site.logged, /nobody can tell whom a bulletin is for.*there is no group staf/s);
    site.restart({ groups: { staf: ['ann'] } });
    assert.deepEqual(await site.subjects('ann'), ['1.staf.salaries']);
  });

  test('a folder under a bulletin’s name, or a pipe, is none and stops nobody', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann');
    await mkdir(site.pathOf('1.folder'));
    await symlink('/dev/null', site.pathOf('2.null'));
    await site.put('3.good');
    await site.session('ann');
    assert.match(site.logged, /Unable to open bulletin file \S+2\.null \(22\)/);
    await rm(site.pathOf('2.null'));
    assert.deepEqual(await site.subjects('ann'), ['3.good']);
  });
});

describe('X4: the folder', () => {
  test('that is not there costs the bulletins, not the session, and the log says so', async (t) => {
    const site = await BulletinSite.make(t);
    await rm(join(site.folder, 'bulletins'), { recursive: true });
    assert.deepEqual(await site.session('ann', 'NOOP'), ['+OK', '+OK bye']);
    const line = `Unable to open bulletin directory '${join(site.folder, 'bulletins')}'. (2)`;
    assert.ok(site.server.log.some(({ message }) => message === line));
    await mkdir(join(site.folder, 'bulletins'));
    await site.put('1.old');
    assert.deepEqual(await site.subjects('ann'), [], 'nobody was counted meanwhile');
  });

  test('from which bulletins are removed brings nothing twice: the counter never goes back', async (t) => {
    const site = await BulletinSite.make(t);
    await site.session('ann');
    await site.put('1.a');
    await site.put('2.b');
    await site.session('ann', 'DELE 1', 'DELE 2');
    await rm(site.pathOf('2.b'));
    assert.deepEqual(await site.subjects('ann'), []);
    assert.equal(await site.counterOf('ann'), '2\n');
    await site.put('2.b');
    assert.deepEqual(await site.subjects('ann'), []);
    await site.put('3.c');
    assert.deepEqual(await site.subjects('ann'), ['3.c']);
  });

  test('is read anew when it has changed, also within one tick of its clock', async (t) => {
    const site = await BulletinSite.make(t);
    const folder = join(site.folder, 'bulletins');
    const longAgo = new Date('2020-01-01');
    await utimes(folder, longAgo, longAgo);
    await site.session('ann');
    for (let number = 1; number <= 30; number += 1) {
      await site.put(`${number}.n`);
      await site.session('ann');
      assert.equal(await site.counterOf('ann'), `${number}\n`);
    }
    await utimes(folder, longAgo, longAgo);
    await site.session('ann');
    await site.put('31.n');
    await site.session('ann');
    assert.equal(await site.counterOf('ann'), '31\n');
  });
});

test('a store that fails to append costs no session, and the bulletin comes the next time', async (t) => {
  const site = await BulletinSite.make(t);
  site.spool.deliver('ann', 'Subject: own\n\n');
  await site.session('ann');
  await site.put('1.news');
  site.spool.fault = new Error('disk full');
  const said = await site.session('ann', 'STAT');
  assert.equal(said[0], '+OK 1 16');
  assert.equal(await site.counterOf('ann'), '0\n');
  assert.match(site.logged, /bulletins could not be added.*disk full/s);
  assert.deepEqual(await site.subjects('ann'), ['own', '1.news']);
});

test('two users of one uid have each a counter of their own, whatever their names', async (t) => {
  const site = await BulletinSite.make(t);
  const long = `${'a'.repeat(64)}@${'b'.repeat(200)}.example`;
  for (const user of ['ann', 'ann@example.org', long]) await site.session(user);
  await site.put('1.news');
  for (const user of ['ann', 'ann@example.org', long]) {
    await site.session(user, 'DELE 1');
    assert.deepEqual(await site.subjects(user), []);
  }
});

test('a From_ line alone is an empty message', async (t) => {
  const site = await BulletinSite.make(t);
  await site.session('ann');
  await site.put('1.empty', fromLine);
  const [stat] = await site.session('ann', 'STAT');
  assert.equal(stat, '+OK 1 0');
});
