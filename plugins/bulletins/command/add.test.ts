import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { type BulletinSite, bulletinText } from '../testing/bulletin-site.ts';
import { deskAt } from '../testing/desk.ts';

const readBulletin = (site: BulletinSite, name: string): Promise<string> =>
  readFile(site.pathOf(name), 'utf8');

describe('popper bulletins add', () => {
  test('makes a text a bulletin with the next number, which users then get as they would any other', async (t) => {
    const { site, popper } = await deskAt(t);
    await site.session('ann');
    await site.put('9.x');
    const text = 'We are down.\nFrom 10 to 12.\n>From 10, perhaps.\n';
    const ran = await popper(['add', '--subject', 'Down on Sunday. Sorry!'], text);
    assert.deepEqual(ran, { code: 0, out: 'added 10.down_on_sunday_sorry\n', err: '' });
    assert.equal((await stat(site.pathOf('10.down_on_sunday_sorry'))).mode & 0o777, 0o644);
    const said = await site.session('ann', 'RETR 2');
    const [from, to, date, id, subject, ...body] = said.slice(1, -2);
    assert.equal(from, 'From: Postmaster <postmaster@example.org>');
    assert.equal(to, 'To: ann@mail.example.org');
    assert.match(date ?? '', /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
    assert.match(id ?? '', /^Message-ID: <bulletin\.10\.\d+@example\.org>$/);
    assert.equal(subject, 'Subject: Down on Sunday. Sorry!');
    assert.deepEqual(body, ['', ...text.split('\n').slice(0, -1)]);
  });

  test('takes a message as it is, and completes it', async (t) => {
    const { site, popper } = await deskAt(t);
    const message =
      'From: me@example.org\r\nSubject: =?UTF-8?B?w6Q=?=\r\nX-A: b\r\n c\r\n\r\nhello\r\nFrom me\r\n';
    assert.equal((await popper(['add', '--title', 'News 2026'], message)).out, 'added 1.news_2026\n');
    const file = await readBulletin(site, '1.news_2026');
    assert.match(file, /^From popper \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\nTo: everybody:;\nDate: /);
    assert.ok(
      file.endsWith('\nFrom: me@example.org\nSubject: =?UTF-8?B?w6Q=?=\nX-A: b\n c\n\nhello\n>From me\n'),
    );
  });

  test('takes a message out of an mbox, and quotes nothing twice', async (t) => {
    const { site, popper } = await deskAt(t);
    await popper(['add'], `${bulletinText('A')}>From me`);
    const file = await readBulletin(site, '1.a');
    assert.equal(file.match(/^From /gm)?.length, 1);
    assert.ok(file.endsWith('\nSubject: A\n\nHello all.\n>From me\n'));
  });

  test('writes other alphabets so that any client can read them', async (t) => {
    const { site, popper } = await deskAt(t);
    const subject = `Größe ${'ж'.repeat(40)}`;
    const { out } = await popper(['add', '--subject', subject], 'Grüße\n');
    const file = await readBulletin(site, out.slice('added '.length, -1));
    const words = file.match(/=\?UTF-8\?B\?[^?]*\?=/g) ?? [];
    assert.ok(words.length > 1 && words.every((word) => word.length <= 75));
    const texts = words.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString());
    assert.equal(texts.join(''), subject);
    assert.match(file, /^Content-Type: text\/plain; charset=utf-8\n/m);
    assert.ok(file.endsWith('\n\nGrüße\n'));
  });

  test('writes when a bulletin expires, and for whom it is', async (t) => {
    const { site, popper } = await deskAt(t, { groups: { staff: ['bob'] } });
    for (const user of ['ann', 'bob']) await site.session(user);
    const words = ['--subject', 'Lunch', '--expires', '2099-12-31', '--group', 'staff'];
    assert.equal((await popper(['add', ...words], 'at noon')).out, 'added 1.staff.lunch\n');
    assert.match(await readBulletin(site, '1.staff.lunch'), /^Expires: \w{3}, \d\d \w{3} \d{4} /m);
    assert.deepEqual(await site.subjects('ann'), []);
    assert.deepEqual(await site.subjects('bob'), ['Lunch']);
    assert.match((await popper(['list'])).out, /^ {5}1 {2}staff {9}2099-12-31 {10}Lunch\n$/);
  });

  test('never gives a number twice, or users would skip who had the first that had it', async (t) => {
    const { site, popper } = await deskAt(t);
    const addOne = async (): Promise<string> => (await popper(['add', '--subject', 'x'], 'x')).out;
    assert.equal(await addOne(), 'added 1.x\n');
    assert.equal(await addOne(), 'added 2.x\n');
    await rm(site.pathOf('2.x'));
    assert.equal(await addOne(), 'added 3.x\n');
    await site.put('17.by_hand');
    assert.equal(await addOne(), 'added 18.x\n');
    const many = await Promise.all(Array.from({ length: 8 }, addOne));
    assert.equal(new Set(many).size, 8);
    assert.deepEqual(
      (await readdir(join(site.folder, 'bulletins'))).filter((name) => name.startsWith('.')),
      ['.highest'],
    );
  });

  test('clears up behind one that died, and overwrites nothing', async (t) => {
    const { site, popper } = await deskAt(t);
    await writeFile(join(site.folder, 'precious'), 'precious');
    await symlink('../precious', site.pathOf('.next-bulletin'));
    assert.equal((await popper(['add', '--subject', 'x'], 'x')).code, 0);
    await mkdir(site.pathOf('2.x'));
    const ran = await popper(['add', '--subject', 'x'], 'x');
    assert.equal(ran.code, 2);
    assert.match(ran.err, /EEXIST/);
    assert.equal(await readFile(join(site.folder, 'precious'), 'utf8'), 'precious');
  });

  test('what cannot be added so ends with 2, says why, and adds nothing', async (t) => {
    const { site, popper } = await deskAt(t, { groups: { staff: [] } });
    await site.put('2147483648.last');
    const refused: readonly (readonly [args: readonly string[], input: string, says: RegExp])[] = [
      [[], '', /^usage:/],
      [['remove'], '', /^usage:/],
      [['__proto__'], '', /^usage:/],
      [['add'], '', /no message with a Subject:.*--subject/],
      [['add'], 'Note: the server is down\n', /no message with a Subject:/],
      [['add'], 'Subject: x\nhello, this is the text\n\nmore\n', /no message with a Subject:/],
      [['add', '--subject', 'x'], ' \n', /there is no text/],
      [['add', '--subject', ' \n '], 'x', /subject is empty/],
      [['add', '--expires', 'soon', '--subject', 'x'], 'x', /--expires is to be a day/],
      [['add', '--expires', '2020-01-01', '--subject', 'x'], 'x', /over already/],
      [['add', '--group', 'staf', '--subject', 'x'], 'x', /no group staf: the configuration has staff/],
      [['add', '--from', 'a\nBcc: b', '--subject', 'x'], 'x', /--from is to be an address/],
      [['add', '--colour', 'red'], 'x', /colour/],
      [['add', '--subject', 'x'], 'x', /there is no number above 2147483648/],
      [['preview'], '', /preview NUMBER/],
      [['status', 'ann'], '', /status is said alone/],
    ];
    for (const [args, input, says] of refused) {
      const { code, out, err } = await popper(args, input);
      assert.deepEqual({ code, out }, { code: 2, out: '' }, args.join(' '));
      assert.match(err, says);
    }
    assert.deepEqual(await readdir(join(site.folder, 'bulletins')), ['.highest', '2147483648.last']);
  });
});
