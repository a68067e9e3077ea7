import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { options } from './options.ts';
import { spoolPathOf, spoolRootOf } from './spool-path.ts';

const identity = { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };
const pathOf = (spool: string, user = 'mrose'): string =>
  spoolPathOf(options.parse({ spool }).spool, { ...identity, user }, '/etc/popper').path;

describe('a mailbox lies where the operator says', () => {
  for (const [spool, user, path] of [
    ['/var/mail/{user}', 'mrose', '/var/mail/mrose'],
    ['var/mail/{user}', 'mrose', '/etc/popper/var/mail/mrose'],
    ['{home}/mbox', 'mrose', '/home/mrose/mbox'],
    ['{home}/Mail/{user}', 'mrose', '/home/mrose/Mail/mrose'],
    ['/var/mail/{user:1}/{user:2}/{user}', 'Mrose', '/var/mail/m/r/Mrose'],
    ['/var/mail/{user:1}/{user:2}/{user}', 'm', '/var/mail/m/_/m'],
    ['/var/mail/{user:1}/{user}', '.m', '/var/mail/_/.m'],
    ['/var/mail/{domain}/{localpart}', 'mrose@dbc.example', '/var/mail/dbc.example/mrose'],
    ['/var/mail/{domain}/{localpart}', 'a@b@dbc.example', '/var/mail/dbc.example/a@b'],
    ['/var/mail/{localpart}', 'mrose', '/var/mail/mrose'],
    ['/var/mail/u-{user}.mbox', 'mrose', '/var/mail/u-mrose.mbox'],
  ] as const) {
    it(`${spool} for ${user}`, () => assert.equal(pathOf(spool, user), path));
  }
});

describe('no name leads anywhere else', () => {
  const names = [
    '..',
    '.',
    '',
    '../root',
    'a/b',
    '/etc/passwd',
    'root\0x',
    '../../etc/passwd',
    '@',
    '@..',
    'a@',
  ];
  for (const user of names) {
    it(JSON.stringify(user), () => {
      const spool = user.includes('@') ? '/var/mail/{domain}/{localpart}' : '/var/mail/{user}';
      assert.throws(() => pathOf(spool, user), Error);
    });
  }

  it('a name is a value, never a template', () => {
    assert.equal(pathOf('/var/mail/{user}', '{home}'), '/var/mail/{home}');
    assert.equal(pathOf('/var/mail/{user}', '{user}$&'), '/var/mail/{user}$&');
  });
});

describe('a name that leads to where a classic popper leaves the mail of another user', () => {
  for (const [spool, user, other] of [
    ['/var/mail/{user}', '.bob.pop', '/var/mail/bob'],
    ['/var/mail/{user}', '..bob.pop.pop', '/var/mail/.bob.pop'],
    ['/var/mail/.{user}', '.bob.pop', '/var/mail/.bob'],
    ['/var/mail/{domain}/{localpart}', '.bob.pop@dbc.example', '/var/mail/dbc.example/bob'],
    ['{home}/{user}', '.bob.pop', '/home/mrose/bob'],
  ] as const) {
    it(`is refused: ${spool} for ${user}`, () =>
      assert.throws(() => pathOf(spool, user), { message: new RegExp(` of ${other}: .*another user's$`) }));
  }

  for (const [spool, user, other] of [
    ['/var/mail/{user}', 'bob.lock', '/var/mail/bob'],
    ['/var/mail/{domain}/{localpart}', 'bob.lock@dbc.example', '/var/mail/dbc.example/bob'],
    ['{home}/{user}', 'mbox.lock', '/home/mrose/mbox'],
  ] as const) {
    it(`is refused where it would be a lock that another session takes away: ${spool} for ${user}`, () =>
      assert.throws(() => pathOf(spool, user), {
        message: new RegExp(` locks ${other}: .*another user's$`),
      }));
  }

  it('is told from one that only looks like it', () => {
    for (const [spool, user] of [
      ['/var/mail/{user}', 'bob.lock.'],
      ['/var/mail/{user}', 'lock'],
      ['/var/mail/{user}', 'bob.pop'],
      ['/var/mail/{user}', '.bob.popper'],
      ['/var/mail/{user}', '..pop'],
      ['/var/mail/.{user}', 'bob.pop'],
      ['/var/mail/.{user}.pop', 'bob'],
      ['{home}/.{user}.pop', 'bob'],
    ] as const)
      assert.ok(pathOf(spool, user).endsWith(user === 'bob' ? '/.bob.pop' : user), `${spool} for ${user}`);
  });
});

const rootOf = (spool: string, path: string) =>
  spoolRootOf(options.parse({ spool }).spool, path, '/etc/popper');

describe('a path that a mailbox is said to have', () => {
  it('is believed, and the folder of the operator known, where a user of some name has it', () => {
    for (const [spool, user, root] of [
      ['/var/mail/{user}', 'mrose', '/var/mail/'],
      ['/var/mail/{user}', 'm.r+o$e(x)', '/var/mail/'],
      ['var/mail/{user}', 'mrose', '/etc/popper/var/mail/'],
      ['/var/mail/{user:1}/{user:2}/{user}', '.Mrose', '/var/mail/'],
      ['/var/mail/{domain}/{localpart}', 'a@b@dbc.example', '/var/mail/'],
      ['/var/(mail)/u-{user}.mbox', 'mrose', '/var/(mail)/'],
    ] as const)
      assert.equal(rootOf(spool, pathOf(spool, user)), root, `${spool} for ${user}`);
  });

  it('is not where none can have it', () => {
    for (const path of [
      '/var/mail/',
      '/var/mail',
      '/var/mail/a/b',
      '/var/mail/../mail/mrose',
      '/var/mail/./mrose',
      '/var/mail//mrose',
      '/var/mail/..',
      '/var/mail/mrose\0',
      '/var/spool/mrose',
      `/var/mail/${'a'.repeat(256)}`,
      'mrose',
      '',
    ])
      assert.equal(rootOf('/var/mail/{user}', path), undefined, JSON.stringify(path));
    assert.equal(rootOf('/var/mail/{user:1}/{user}', '/var/mail/M/Mrose'), undefined);
    assert.equal(rootOf('/var/mail/u-{user}.mbox', '/var/mail/u-mroseXmbox'), undefined);
    assert.equal(rootOf('{home}/mbox', '/home/mrose/mbox'), undefined);
  });
});

describe('a spool template that cannot work is refused when the daemon starts', () => {
  for (const [spool, says] of [
    ['', /./],
    ['/var/mail', /all users share one mbox/],
    ['/var/mail/{domain}', /all users share one mbox/],
    ['/var/mail/{user:1}', /all users share one mbox/],
    ['/var/mail/{usr}', /expected \{user\}, \{user:N\}, \{localpart\}, \{domain\} or \{home\} .*\{usr\}/],
    ['/var/mail/{local}', /\{localpart\}.* got "\{local\}"/],
    ['/var/mail/{user', /\{user/],
    ['/var/mail/user}', /\}/],
    ['/var/mail/{home}', /at the start/],
    ['{home}', /at the start/],
    ['/var/mail/{user:0}', /user:0/],
    ['/var/mail/\0{user}', /NUL/],
  ] as const) {
    it(JSON.stringify(spool), () => {
      const result = options.safeParse({ spool });
      assert.ok(!result.success);
      assert.match(result.error.issues.map((issue) => issue.message).join(), says);
    });
  }

  it('so are other options that make no sense', () => {
    for (const wrong of [
      { lockMethods: [] },
      { lockMethods: ['flock'] },
      { lockMethods: ['fcntl', 'fcntl'] },
      { lockTimeoutMs: -1 },
      { chunkOctets: 1 },
      { spol: '/var/mail/{user}' },
    ]) {
      assert.ok(!options.safeParse(wrong).success, JSON.stringify(wrong));
    }
  });
});
