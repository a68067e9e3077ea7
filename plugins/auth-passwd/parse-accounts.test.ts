import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseAccounts } from './parse-accounts.ts';
import { costClassOf } from './stored-password.ts';

const bcrypt = '$2y$05$4YOHtJac2wDLI/nOQDaykuVo8uam91ak3ec02in20SkB/fvrUThdi';

test('files of Dovecot, of Apache and of this daemon are read alike', async () => {
  const text = [
    '# comment: with a colon',
    '',
    `mrose:${bcrypt}`,
    `tim@example.com:{PLAIN}tanstaaf:1000:1001:Tim T.:/home/tim:/bin/sh:userdb_mail=maildir:~/Maildir`,
    'ann:{PLAIN}x:::::: ',
    'bob:{PLAIN}x:2000\r',
    'last:{PLAIN}no line end',
  ].join('\n');
  const { byUser, problems } = await parseAccounts(text);
  assert.deepEqual(problems, []);
  assert.deepEqual([...byUser.keys()], ['mrose', 'tim@example.com', 'ann', 'bob', 'last']);
  const { uid, gid, home } = byUser.get('tim@example.com') ?? {};
  assert.deepEqual({ uid, gid, home }, { uid: 1000, gid: 1001, home: '/home/tim' });
  assert.equal(byUser.get('bob')?.uid, 2000);
  assert.equal(byUser.get('mrose')?.uid, undefined);
});

const brokenLines: readonly (readonly [line: string, says: RegExp])[] = [
  ['secret-without-a-colon', /no ":"/],
  [':{PLAIN}x', /name cannot be used/],
  ['../etc/passwd:{PLAIN}x', /name cannot be used/],
  ['-f:{PLAIN}x', /name cannot be used/],
  ['.:{PLAIN}x', /name cannot be used/],
  ['a..b:{PLAIN}x', /name cannot be used/],
  ['%{user}:{PLAIN}x', /name cannot be used/],
  ['ro\0ot:{PLAIN}x', /name cannot be used/],
  ['bob:{PLAIN}x:0', /bob: uid/],
  ['bob:{PLAIN}x:vmail', /bob: uid/],
  ['bob:{PLAIN}x:1000:4294967295', /bob: gid/],
  ['bob:{PLAIN}x::::mail/bob', /bob: home/],
  ['bob:{PLAIN}x::::/mail/../root', /bob: home/],
  ['bob:{PLAIN}x::::/home/jos\xe9', /bob: home/],
  ['bob:{PLAIN}x::::::nologin', /bob: nologin/],
  ['bob:{PLAIN}x::::::user=x allow_nets=10.0.0.0/8', /bob: allow_nets/],
];

test('a broken line is named by its number, holds up nobody else, and shows nothing that may be a secret', async () => {
  for (const [line, says] of brokenLines) {
    const { byUser, problems } = await parseAccounts(`first:${bcrypt}\n${line}\nlast:${bcrypt}\n`);
    assert(byUser.has('first') && byUser.has('last'), line);
    assert.equal(problems.length, 1, line);
    assert.equal(problems[0]?.lineNumber, 2);
    assert.match(problems[0].reason, says);
    assert.doesNotMatch(problems[0].reason, /secret/);
  }
});

test('of two lines for one user the first counts, and the second is reported', async () => {
  const { byUser, problems } = await parseAccounts('bob:!\nann:{PLAIN}x\nbob:{PLAIN}x\n');
  assert.equal(byUser.get('bob')?.stored.kind, 'locked');
  assert.equal(problems[0]?.lineNumber, 3);
  assert.match(problems[0].reason, /^bob has a line above/);
});

test('a user called __proto__ is a user like any other', async () => {
  const { byUser } = await parseAccounts('__proto__:{PLAIN}x\nconstructor:{PLAIN}x\n');
  assert.deepEqual([...byUser.keys()], ['__proto__', 'constructor']);
});

test('the decoy costs what most users cost, and there is one for an empty file', async () => {
  const { decoy } = await parseAccounts(`a:{PLAIN}x\nb:${bcrypt}\nc:${bcrypt}\nd:!\ne:!\nf:!\n`);
  assert.equal(costClassOf(decoy), '$2y$05$');
  const empty = await parseAccounts('');
  assert.match(costClassOf(empty.decoy), /^argon2id/);
});

test('a big file gives other sessions their turn', async () => {
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  const lines = Array.from({ length: 20_000 }, (_, index) => `user${index}:{PLAIN}x\n`);
  const { byUser } = await parseAccounts(lines.join(''));
  clearInterval(others);
  assert.equal(byUser.size, 20_000);
  assert(turns > 1, `other work had ${turns} turns`);
});

const name = fc.stringMatching(/^[a-z0-9_+=][a-z0-9_+=-]{0,20}(@[a-z0-9][a-z0-9-]{0,20})?$/);
const account = fc.record(
  {
    user: name,
    uid: fc.option(fc.integer({ min: 10, max: 4_294_967_294 }), { nil: undefined }),
    home: fc.option(fc.stringMatching(/^\/[a-z/]{0,20}$/), { nil: undefined }),
  },
  { noNullPrototype: true },
);

test('whatever stands between them, well-formed lines are all read', async () => {
  const accounts = fc.uniqueArray(account, { selector: ({ user }) => user, maxLength: 20 });
  const noise = fc.stringMatching(/^[^:\n]{0,30}$/);
  await fc.assert(
    fc.asyncProperty(accounts, fc.array(noise), fc.constantFrom('\n', '\r\n'), async (written, junk, end) => {
      const lines = written.flatMap(({ user, uid = '', home = '' }, index) => [
        junk[index] ?? '',
        `${user}:{PLAIN}x:${uid}:::${home}:`,
      ]);
      const { byUser } = await parseAccounts(lines.join(end));
      assert.deepEqual(
        [...byUser.values()].map(({ user, uid, home }) => ({ user, uid, home })),
        written,
      );
    }),
  );
});

test('no file, however broken, stops the daemon', async () => {
  const text = fc.string({
    unit: fc.constantFrom(...Array.from('\n\r:{}$!*#/.@ab19=,\0\xff')),
    maxLength: 200,
  });
  await fc.assert(
    fc.asyncProperty(text, async (broken) => {
      const { byUser, problems } = await parseAccounts(broken);
      const lines = broken.split('\n').filter((line) => !['', '\r'].includes(line) && !line.startsWith('#'));
      assert.equal(byUser.size + problems.length, lines.length);
    }),
    { numRuns: 500 },
  );
});
