import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, open, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';

import { type Accounts, parseAccounts } from './parse-accounts.ts';
import { ParsedFile, type ParsedFileOptions } from './parsed-file.ts';
import { assertTrusted } from './read-whole.ts';

/** A file that is looked at each time and never waited for, with what was reported about it. */
async function passwordFile(
  t: TestContext,
  text: string,
  options: Partial<ParsedFileOptions<Accounts>> = {},
): Promise<{
  file: string;
  accounts: ParsedFile<Accounts>;
  reports: string[];
  users: () => Promise<string[]>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-passwd-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'passwd');
  await writeFile(file, text, { mode: 0o600 });
  const reports: string[] = [];
  const report = (what: string, fix: string): number => reports.push(`${what}: ${fix}`);
  const accounts = new ParsedFile(file, {
    parse: parseAccounts,
    report,
    isSecret: true,
    trustedForMs: 0,
    settledAfterMs: 0,
    ...options,
  });
  const users = async (): Promise<string[]> => [...(await accounts.current()).byUser.keys()];
  return { file, accounts, reports, users };
}

test('an editor that writes in place and pauses in the middle shuts nobody out', async (t) => {
  const { file, users, reports } = await passwordFile(t, 'ann:{PLAIN}x\nbob:{PLAIN}x\n', {
    finishedAfterMs: 3_600_000,
  });
  assert.deepEqual(await users(), ['ann', 'bob']);
  const handle = await open(file, 'r+');
  await handle.truncate(0);
  assert.deepEqual(await users(), ['ann', 'bob']);
  await handle.write('ann:{PLAIN}x\nbo', 0);
  assert.deepEqual(await users(), ['ann', 'bob']);
  await handle.write('b:{PLAIN}y\neve:{PLAIN}x\n', 15);
  await handle.close();
  assert.deepEqual(await users(), ['ann', 'bob', 'eve']);
  assert.match(reports.join('\n'), /is empty/);
  assert.match(reports.join('\n'), /without a line end/);
});

test('a file that was left without a last line end is taken in the end', async (t) => {
  const { file, users } = await passwordFile(t, 'ann:{PLAIN}x', { finishedAfterMs: -1 });
  assert.deepEqual(await users(), ['ann']);
  await writeFile(file, 'ann:{PLAIN}x\nbob:{PLAIN}x');
  assert.deepEqual(await users(), ['ann', 'bob']);
  await writeFile(file, '');
  assert.deepEqual(await users(), []);
});

test('whatever a writer does, a look sees one of the texts that were whole', async (t) => {
  const text = Array.from({ length: 10_000 }, (_, index) => `user${index}:{PLAIN}0x\n`).join('');
  const { file, accounts } = await passwordFile(t, text, { settledAfterMs: 5 });
  await accounts.current();
  const writer = promisify(execFile)('sh', [
    '-c',
    'for i in 1 2 3 4 5 6 7 8; do sed "s/}[0-9]*x/}${i}x/" "$0" > "$0.next"; cat "$0.next" > "$0"; sleep 0.02; done',
    file,
  ]);
  const written = { all: false };
  const end = writer.finally(() => {
    written.all = true;
  });
  while (!written.all) assert.equal((await accounts.current()).byUser.size, 10_000);
  await end;
});

test('a file put in place by rename counts for the next login', async (t) => {
  const { file, users } = await passwordFile(t, 'ann:{PLAIN}x\n', { settledAfterMs: 20 });
  assert.deepEqual(await users(), ['ann']);
  for (const user of ['bob', 'eve', 'joe']) {
    await writeFile(`${file}.new`, `${user}:{PLAIN}x\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    assert.deepEqual(await users(), [user]);
  }
});

test('a file that vanishes, or that anybody may write to, leaves the accounts from before, and is reported once', async (t) => {
  const { file, users, reports } = await passwordFile(t, 'ann:{PLAIN}x\n');
  await users();
  await chmod(file, 0o602);
  for (const _ of [1, 2, 3]) assert.deepEqual(await users(), ['ann']);
  assert.equal(reports.length, 1);
  assert.match(reports[0] ?? '', /chmod o-w/);
  await unlink(file);
  for (const _ of [1, 2, 3]) assert.deepEqual(await users(), ['ann']);
  assert.equal(reports.length, 2);
  assert.match(reports[1] ?? '', /no such file/);
  await writeFile(file, 'bob:{PLAIN}x\n', { mode: 0o600 });
  assert.deepEqual(await users(), ['bob']);
});

test('a daemon without any good file says which one and what to do', async (t) => {
  const { file, users } = await passwordFile(t, 'ann:{PLAIN}x\n');
  await chmod(file, 0o666);
  await assert.rejects(users(), /passwd: everybody may write to it.*chmod o-w/);
  await unlink(file);
  await assert.rejects(users(), /passwd: there is no such file: make it with "popper passwd add/);
  await promisify(execFile)('mkfifo', ['-m', '600', file]);
  await assert.rejects(users(), /passwd: is no regular file/);
  await unlink(file);
  await symlink('/', file);
  await assert.rejects(users(), /passwd: /);
});

const daemon = { uid: 99n, gid: 98n };
const facts = { isFile: () => true, size: 1n, mode: 0o100600n, uid: 0n, gid: 0n };

test('a file that another user owns is not believed, one of root or of the daemon is', () => {
  assert.throws(
    () => assertTrusted('/etc/x', { ...facts, uid: 4321n }, daemon),
    /^FileFault: \/etc\/x: belongs to uid 4321.*chown 99/,
  );
  assertTrusted('/etc/x', { ...facts, uid: 99n }, daemon);
  assertTrusted('/etc/x', facts, daemon);
});

test('a file that a group may write to is not believed, unless that is the group of root or of the daemon', () => {
  const shared = { ...facts, mode: 0o100660n };
  assert.throws(
    () => assertTrusted('/etc/x', { ...shared, gid: 4321n }, daemon),
    /^FileFault: \/etc\/x: group 4321 may write to it, and so log in as anybody: chmod g-w \/etc\/x/,
  );
  assertTrusted('/etc/x', { ...facts, mode: 0o100640n, gid: 4321n }, daemon);
  assertTrusted('/etc/x', { ...shared, gid: 98n }, daemon);
  assertTrusted('/etc/x', shared, daemon);
});

test('hashes that everybody can read are served, with the command that hides them', async (t) => {
  const { file, users, reports } = await passwordFile(t, 'ann:{PLAIN}x\n');
  await chmod(file, 0o644);
  assert.deepEqual(await users(), ['ann']);
  assert.deepEqual(reports, [
    `${file}: every user of this system can read the hashes and guess at them: chmod o-rwx ${file}`,
  ]);
});

test('broken lines are reported once for each version, by file and line, and not without end', async (t) => {
  const broken = 'nonsense\n'.repeat(30);
  const { file, users, reports } = await passwordFile(t, `ann:{PLAIN}x\n${broken}`);
  await users();
  await users();
  assert.equal(reports.length, 21);
  assert(reports[0]?.startsWith(`${file}:2: there is no ":"`));
  assert.match(reports[20] ?? '', /10 more lines/);
});

test('logins that come together cost one look at the file', async (t) => {
  const { accounts } = await passwordFile(t, 'ann:{PLAIN}x\n');
  const first = accounts.current();
  assert.equal(accounts.current(), first);
  const loaded = await first;
  assert.equal(await accounts.current(), loaded);
});

test('reading changes nothing of the file', async (t) => {
  const text = '# kept\nann:{PLAIN}x\r\nnonsense';
  const { file, users } = await passwordFile(t, text);
  await users();
  assert.equal(await readFile(file, 'utf8'), text);
});
