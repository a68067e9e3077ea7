import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';

import type { Checkup } from 'popperd';

import type { CryptoOfNode } from './argon2.ts';
import { lookOver } from './look-over.ts';
import { hashPassword } from './set-password.ts';
import { passwdFor } from './subcommand.ts';

const system = [
  'root:x:0:0:root:/root:/bin/bash',
  'me:x:5001:5002:Me:/home/me:/bin/bash',
  'you:x:5003:5003:You:/home/you:/bin/bash',
  'broken:x:many:5003::/home/broken:/bin/sh',
  '',
].join('\n');

async function siteOf(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'auth-passwd-'));
  t.after(() => rm(folder, { recursive: true }));
  const systemFile = join(folder, 'system');
  await writeFile(systemFile, system);
  const file = join(folder, 'passwd');
  const add = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const stdin = Readable.from([Buffer.from('secret')]);
    const code = await passwdFor(systemFile).run(['add', file, ...args], { stdin, stdout, stderr });
    return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
  };
  const fieldsOf = async (user: string): Promise<string | undefined> => {
    const lines = (await readFile(file, 'latin1')).split('\n');
    return lines
      .find((line) => line.startsWith(`${user}:`))
      ?.split(':')
      .slice(2)
      .join(':');
  };
  return { folder, file, systemFile, add, fieldsOf };
}

test('a user of the system is added as whom the system knows, and that is said', async (t) => {
  const { add, fieldsOf, systemFile } = await siteOf(t);
  const { out } = await add('me');
  assert.equal(out, `added me, with uid 5001, gid 5002, home /home/me from ${systemFile}\n`);
  assert.equal(await fieldsOf('me'), '5001:5002::/home/me');
  await add('stranger');
  assert.equal(await fieldsOf('stranger'), '');
  for (const user of ['root', 'broken']) assert.equal((await add(user)).out, `added ${user}\n`);
});

test('what is given goes before what the system has, and a new password leaves the rest of the line alone', async (t) => {
  const { add, fieldsOf, systemFile } = await siteOf(t);
  assert.equal(
    (await add('me', '--uid', '6000', '--gid=6001')).out,
    `added me, with home /home/me from ${systemFile}\n`,
  );
  assert.equal(await fieldsOf('me'), '6000:6001::/home/me');
  assert.equal((await add('me')).out, 'changed me\n');
  assert.equal(await fieldsOf('me'), '6000:6001::/home/me');
  await add('me', '--home', '/srv/me');
  assert.equal(await fieldsOf('me'), '6000:6001::/srv/me');
  await add('virtual', '--uid', '5000');
  assert.equal(await fieldsOf('virtual'), '5000');
  await add('virtual', '--home', '/srv/m\u00fc');
  assert.equal(Buffer.from((await fieldsOf('virtual')) ?? '', 'latin1').toString(), '5000:::/srv/m\u00fc');
});

test('ids and homes that no line may have are refused, and change nothing', async (t) => {
  const { add, file } = await siteOf(t);
  for (const [options, says] of [
    [['--uid', '0'], /--uid is to be a number from 10/],
    [['--gid', 'mail'], /--gid is to be a number/],
    [['--home', 'srv'], /--home is to be an absolute path/],
    [['--home', '/a:b'], /--home is to be an absolute path/],
    [['--shell', '/bin/sh'], /^usage:/],
    [['--uid'], /^usage:/],
  ] as const) {
    const { code, err } = await add('me', ...options);
    assert.equal(code, 2);
    assert.match(err, says);
  }
  await assert.rejects(readFile(file), { code: 'ENOENT' });
});

test('a folder that is not there is told of as such', async (t) => {
  const { folder, add } = await siteOf(t);
  const missing = join(folder, 'etc');
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stdin = Readable.from([Buffer.from('secret')]);
  const code = await passwdFor('/nowhere').run(['add', join(missing, 'passwd'), 'me'], {
    stdin,
    stdout,
    stderr,
  });
  assert.equal(code, 2);
  assert.match(String(stderr.read()), new RegExp(`there is no folder ${missing}: make it first`));
  assert.equal((await add('me')).code, 0);
});

const identityOf = ({ user, uid = 99 }: { readonly user: string; readonly uid: number | undefined }) => ({
  user,
  uid,
  gid: 99,
  home: '/',
});

async function checked(
  path: string,
  systemFile: string,
  isOwnByDefault = true,
  users: string[] = [],
): Promise<readonly string[]> {
  const said: string[] = [];
  const checkup: Checkup = {
    fine: (what) => said.push(`fine: ${what}`),
    warning: (what, fix) => said.push(`warning: ${what} / ${fix}`),
    problem: (what, fix) => said.push(`problem: ${what} / ${fix}`),
    canLogIn: ({ identity: { user, uid } }) => users.push(`${user} ${uid}`),
    withUsers: () => {},
    asFront() {},
    asAuth() {},
    isolation: 'none',
    frontUser: undefined,
    authUser: undefined,
  };
  await lookOver({ path, identityOf, isOwnByDefault, system: systemFile }, checkup);
  return said;
}

test('popper check warns of users whose mail the system gives to another uid than their line does', async (t) => {
  const { file, systemFile } = await siteOf(t);
  await writeFile(file, 'me:{PLAIN}x\nyou:{PLAIN}x:5003\nstranger:{PLAIN}x\n', { mode: 0o600 });
  const said = await checked(file, systemFile);
  assert.equal(said[0], `fine: ${file}: 3 users`);
  assert.match(said[1] ?? '', /^warning: .*me has no uid here, and is uid 5001 .* --uid 5001/);
  assert.equal(said.length, 2);
  assert.equal((await checked(file, systemFile, false)).length, 1);
});

test('popper check names twenty of them, and counts the others', async (t) => {
  const { file, systemFile } = await siteOf(t);
  const users = Array.from({ length: 25 }, (_, index) => `user${index}`);
  await writeFile(systemFile, users.map((user) => `${user}:x:5000:5000::/home:\n`).join(''));
  await writeFile(file, users.map((user) => `${user}:{PLAIN}x\n`).join(''), { mode: 0o600 });
  const said = await checked(file, systemFile);
  assert.equal(said.length, 22);
  assert.match(said.at(-1) ?? '', /5 more users like that/);
});

test('popper check says what is wrong with the file, and what to do, each in its place', async (t) => {
  const { file, systemFile } = await siteOf(t);
  const [said] = await checked(file, systemFile);
  assert.equal(
    said,
    `problem: nobody can log in by ${file}: there is no such file / make it with "popper passwd add FILE USER", or mend the path`,
  );
  await writeFile(file, 'me:{PLAIN}x\n', { mode: 0o600 });
  assert.equal((await checked(file, systemFile))[0], `fine: ${file}: 1 user`);
});

test('popper check tells of users whose uid was chosen by somebody, and not of those who cannot log in', async (t) => {
  const { file, systemFile } = await siteOf(t);
  await writeFile(file, 'me:{PLAIN}x\nyou:{PLAIN}x:5003\nnobody:!:5004\n', { mode: 0o600 });
  const users: string[] = [];
  await checked(file, systemFile, true, users);
  assert.deepEqual(users.splice(0), ['you 5003']);
  await checked(file, systemFile, false, users);
  assert.deepEqual(users, ['me 99', 'you 5003']);
});

test('popper check counts those whose argon2 hashes this Node cannot compute, and says how to get one that can', async (t) => {
  const { file, systemFile } = await siteOf(t);
  const hash = await hashPassword(Buffer.from('x'));
  const said = async (cryptoOfNode: CryptoOfNode): Promise<string> => {
    const problems: string[] = [];
    const checkup: Checkup = {
      fine: () => {},
      warning: () => {},
      canLogIn: () => {},
      withUsers: () => {},
      problem: (what, fix) => void problems.push(`${what} / ${fix}`),
      asFront() {},
      asAuth() {},
      isolation: 'none',
      frontUser: undefined,
      authUser: undefined,
    };
    const looked = { path: file, identityOf, isOwnByDefault: true, system: systemFile, cryptoOfNode };
    await lookOver(looked, checkup);
    return problems.join();
  };
  await writeFile(file, `a:${hash}\nb:${hash}\nc:!${hash}\nd:{PLAIN}x\n`, { mode: 0o600 });
  assert.match(
    await said({}),
    /2 users with argon2 hashes cannot log in: argon2 needs Node 24\.7.* \/ .*npm install --prefix \/opt\/popper node-linux-/,
  );
  assert.equal(await said(crypto), '');
  await writeFile(file, 'd:{PLAIN}x\n', { mode: 0o600 });
  assert.equal(await said({}), '');
});
