import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Checkup, KnownUser } from 'popperd';

import authShadow from './index.ts';
import { lookOver } from './look-over.ts';
import { SystemAccounts } from './system-accounts.ts';
import { systemOf } from './testing/system.ts';

/** The hashes of "tanstaaf", of kinds that systems have had over the years. */
const hashes = {
  des: 'ab/TdqTfG5VbQ',
  md5: '$1$saltsalt$roN2lUfEbZqZad1NpG.Zy1',
  sha512:
    '$6$rounds=1000$saltsalt$rXjl5uYHGWEqW/rCvZtCboIF4gG9Mm2IgawiKhopbnZ3Wo8X8lHSiLnrN1Z0o3jtyNmfEJVSATxUqKvsHnqia0',
  yescrypt: '$y$j75$abcd$I0eXwf1iZC4tta/tK9vLBtSKkhsTBrdX/LLXtabr8V2',
  gost: '$gy$j75$abcd$zPF/YkGBrxK6v8QDnrsRWW8jueeMgDAqXmZ8sGNL790',
};

const password = 'tanstaaf';
const today = Math.floor(Date.now() / 86_400_000);

const passwdLine = (user: string, { uid = 1000, shell = '/bin/bash', field = 'x' } = {}): string =>
  `${user}:${field}:${uid}:1001:${user},,,:/home/${user}:${shell}\n`;
const shadowLine = (user: string, hash = hashes.yescrypt, days = '19000:0:99999:7:::'): string =>
  `${user}:${hash}:${days}\n`;

test('a stranger hears one answer, whoever he claims to be, and the log has the cause', async (t) => {
  const causes: readonly (readonly [user: string, password: string, cause: RegExp])[] = [
    ['ann', 'wrong', /the password is wrong/],
    ['nobody-here', password, /no such user/],
    ['shadow-only', password, /no such user/],
    ['+', password, /no such user/],
    ['root', password, /uid 0 is below minUid, 11/],
    ['ten', password, /uid 10 is below minUid, 11/],
    ['locked', password, /locked out/],
    ['starred', password, /locked out/],
    ['empty', password, /an empty password/],
    ['unshadowed', password, /not in the shadow file/],
    ['passwordless', password, /not in the shadow file/],
    ['lineless', password, /no line for the user/],
    ['broken', password, /no line for the user/],
    ['expired', password, /the account expired on 1970-01-02/],
    ['stale', password, /the password expired on/],
    ['initial', password, /must be changed/],
    ['shell-less', password, /\/usr\/sbin\/nologin is no login shell/],
  ];
  const passwd = [
    '+::0:0:::\n',
    passwdLine('root', { uid: 0 }),
    passwdLine('ten', { uid: 10 }),
    passwdLine('unshadowed', { field: hashes.sha512 }),
    passwdLine('passwordless', { field: '' }),
    passwdLine('shell-less', { shell: '/usr/sbin/nologin' }),
    ...['ann', 'locked', 'starred', 'empty', 'lineless', 'broken', 'expired', 'stale', 'initial'].map(
      (user) => passwdLine(user),
    ),
  ];
  const shadow = [
    `+:${hashes.yescrypt}:19000::::::\n`,
    ...['root', 'ten', 'ann', 'shadow-only', 'unshadowed', 'shell-less'].map((user) => shadowLine(user)),
    shadowLine('passwordless', ''),
    shadowLine('locked', `!${hashes.yescrypt}`),
    shadowLine('starred', '*'),
    shadowLine('empty', ''),
    shadowLine('broken', hashes.yescrypt.slice(0, -1)),
    shadowLine('expired', hashes.yescrypt, '19000:0:99999:7::1:'),
    shadowLine('stale', hashes.yescrypt, `${today - 60}:0:30:7:10::`),
    shadowLine('initial', hashes.yescrypt, '0:0:99999:7:::'),
  ];
  const files = { passwd: passwd.join(''), shadow: shadow.join(''), shells: '/bin/sh\n/bin/bash\n' };
  const { server, login, opened } = await systemOf(t, files, { requireShell: true });
  const answer = await login('ann', 'wrong');
  assert.match(answer, /^-ERR \[AUTH\]/);
  for (const [user, offered, cause] of causes) {
    const before = server.log.length;
    assert.equal(await login(user, offered), answer, user);
    assert.match(JSON.stringify(server.log.slice(before)), cause, user);
  }
  assert.deepEqual(opened, []);
});

test('an empty password opens nothing, whatever the files say', async (t) => {
  const passwd = passwdLine('ann') + passwdLine('bob', { field: '' });
  const { login, opened } = await systemOf(t, {
    passwd,
    shadow: shadowLine('ann', '') + shadowLine('bob', ''),
  });
  for (const user of ['ann', 'bob']) {
    for (const offered of ['', ' ', '!', '*', 'x']) assert.match(await login(user, offered), /^-ERR/);
  }
  assert.deepEqual(opened, []);
});

test('no password and no hash is in the log, whatever goes wrong', async (t) => {
  const passwd = passwdLine('ann') + passwdLine('bob');
  const shadow = shadowLine('ann') + shadowLine('bob', `${hashes.sha512}x`);
  const { login, log } = await systemOf(t, { passwd, shadow });
  for (const user of ['ann', 'bob', 'eve']) {
    await login(user, password);
    await login(user, 'hunter2');
  }
  assert.match(log(), /shadow:2: bob: the hash is cut short/);
  assert.doesNotMatch(log(), /tanstaaf|hunter2|saltsalt|abcd/);
});

test('a user becomes who the system says, with every kind of hash that crypt(3) knows', async (t) => {
  const users = Object.keys(hashes);
  const shadow = Object.entries(hashes).map(([user, hash]) => shadowLine(user, hash));
  const { login, opened } = await systemOf(t, {
    passwd: users.map((user, index) => passwdLine(user, { uid: 11 + index })).join(''),
    shadow: shadow.join(''),
  });
  for (const [index, user] of users.entries()) {
    assert.match(await login(user, 'tanstaag'), /^-ERR \[AUTH\]/);
    assert.match(await login(user, password), /^\+OK/, user);
    assert.deepEqual(opened.at(-1), { user, uid: 11 + index, gid: 1001, home: `/home/${user}` });
  }
});

test('a mail user without a shell is let in where nobody asks for one', async (t) => {
  const passwd = passwdLine('ann', { shell: '/usr/sbin/nologin' });
  const { login } = await systemOf(t, { passwd, shadow: shadowLine('ann') });
  assert.match(await login('ann', password), /^\+OK/);
});

test('a password that is to be changed soon still opens, and the log says so', async (t) => {
  const shadow = shadowLine('ann', hashes.yescrypt, `${today - 40}:0:30:7:14::`);
  const { login, log } = await systemOf(t, { passwd: passwdLine('ann'), shadow });
  assert.match(await login('ann', password), /^\+OK/);
  assert.match(log(), /is to be changed.*"user":"ann","overdueDays":10/);
});

test('a user who is locked or given another password meets that at once', async (t) => {
  const { folder, login } = await systemOf(t, { passwd: passwdLine('ann'), shadow: shadowLine('ann') });
  assert.match(await login('ann', password), /^\+OK/);
  // As passwd(1) does it.
  const replace = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, `${name}+`), text, { mode: 0o600 });
    await rename(join(folder, `${name}+`), join(folder, name));
  };
  await replace('shadow', shadowLine('ann', `!${hashes.yescrypt}`));
  assert.match(await login('ann', 'wrong'), /^-ERR/);
  assert.match(await login('ann', password), /^-ERR/);
  await replace('passwd', passwdLine('ann') + passwdLine('bob'));
  await replace('shadow', shadowLine('ann', hashes.des) + shadowLine('bob'));
  assert.match(await login('bob', password), /^\+OK/);
  assert.match(await login('ann', password), /^\+OK/);
});

test('a daemon that may not read the hashes does not start, says why, and answers "later"', async (t) => {
  const { folder, server, login } = await systemOf(t, {
    passwd: passwdLine('ann'),
    shadow: shadowLine('ann'),
  });
  await rm(join(folder, 'shadow'));
  await assert.rejects(server.start(), /shadow: there is no such file: mend the path/);
  assert.match(await login('ann', password), /^-ERR \[SYS\/TEMP\]/);
});

test('where listed shells are asked for and there is no list, nobody is let in', async (t) => {
  const files = { passwd: passwdLine('ann'), shadow: shadowLine('ann') };
  const { server, login } = await systemOf(t, files, { requireShell: true });
  await assert.rejects(server.start(), /shells: there is no such file/);
  assert.match(await login('ann', password), /^-ERR \[SYS\/TEMP\]/);
});

test('popper check tells how many can log in, and whose hashes this system cannot compute', async (t) => {
  const passwd =
    ['ann', 'bob', 'eve'].map((user) => passwdLine(user)).join('') + passwdLine('root', { uid: 0 });
  // libcrypt knows yescrypt, and no cost like this one.
  const strange = hashes.yescrypt.replace('$j75$', '$zzzz$');
  const shadow = shadowLine('ann') + shadowLine('bob', '!') + shadowLine('eve', strange) + shadowLine('root');
  const { server, folder } = await systemOf(t, { passwd, shadow });
  const findings = await server.check();
  assert.deepEqual(findings[0], { kind: 'fine', plugin: 'auth-shadow', what: '2 of 4 users can log in' });
  assert.match(JSON.stringify(findings.slice(1)), /^\[{"kind":"problem".*crypt\(3\) of this system refuses/);
  await rm(join(folder, 'passwd'));
  assert.match(JSON.stringify(await server.check()), /"problem".*passwd: there is no such file/);
});

test('popper check tells who can log in, and what to do where his mbox is not his', async (t) => {
  const shadow = shadowLine('ann') + shadowLine('bob', '!') + shadowLine('root');
  const passwd = passwdLine('ann') + passwdLine('bob') + passwdLine('root', { uid: 0 });
  const { folder } = await systemOf(t, { passwd, shadow });
  const files = { passwd: join(folder, 'passwd'), shadow: join(folder, 'shadow'), shells: undefined };
  const users: KnownUser[] = [];
  const checkup: Checkup = {
    fine() {},
    warning: assert.fail,
    problem: assert.fail,
    withUsers() {},
    canLogIn: (user) => void users.push(user),
    asFront() {},
    asAuth() {},
    isolation: 'none',
    frontUser: undefined,
    authUser: undefined,
  };
  const accounts = await new SystemAccounts(files, assert.fail).current();
  await lookOver(accounts, { minUid: 11, source: files.passwd }, checkup);
  assert.deepEqual(
    users.map(({ identity, source, fixOfOwner }) => [identity, source, fixOfOwner('/var/mail/ann', 7)]),
    [
      [
        { user: 'ann', uid: 1000, gid: 1001, home: '/home/ann' },
        files.passwd,
        'chown ann /var/mail/ann, where it is his',
      ],
    ],
  );
});

const problems = (options: object): string => JSON.stringify(authShadow(options).problems);

test('options that make no sense are refused by name', () => {
  assert.equal(problems({}), '[]');
  assert.match(problems({ minUid: 0 }), /minUid/);
  assert.match(problems({ minUid: 1.5 }), /minUid/);
  assert.match(problems({ requireShell: 'yes' }), /requireShell/);
  assert.match(problems({ shadow: '' }), /shadow/);
  assert.match(problems({ checksAtOnce: 0 }), /checksAtOnce/);
  assert.match(problems({ file: '/etc/shadow' }), /file/);
});
