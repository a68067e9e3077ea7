import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Busy, Gate } from './gate.ts';
import { parseAccounts } from './parse-accounts.ts';
import { ParsedFile } from './parsed-file.ts';
import { PasswordChecker } from './password-checker.ts';
import { costClassOf, type StoredPassword } from './stored-password.ts';
import { verify, type Verify } from './verify.ts';

const never = new AbortController().signal;
const bcrypt = '$2b$04$abcdefghijklmnopqrstuumJUK7dJmoK7yMfXBMkeTJL1Y.du7qIG';

/** A checker over a real file, which also tells what was hashed. */
async function checkerOf(
  t: TestContext,
  text: string,
  options: { readonly verify?: Verify; readonly gate?: Gate } = {},
): Promise<{ file: string; hashed: string[]; check: (user: string, password: string) => Promise<string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-passwd-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'passwd');
  await writeFile(path, text, { mode: 0o600 });
  const hashed: string[] = [];
  const counted = (stored: StoredPassword, password: Uint8Array): Promise<boolean> => {
    hashed.push(costClassOf(stored));
    return (options.verify ?? verify)(stored, password);
  };
  const accounts = new ParsedFile(path, {
    parse: parseAccounts,
    report: () => undefined,
    settledAfterMs: 0,
    trustedForMs: 60_000,
  });
  const gate = options.gate ?? new Gate({ running: 1, waiting: 10 });
  const checker = new PasswordChecker({ accounts, gate, verify: counted });
  const check = async (user: string, password: string): Promise<string> =>
    (await checker.check(user, Buffer.from(password), never)).kind;
  return { file: path, hashed, check };
}

test('an unknown user, a locked user and a wrong password take the same work', async (t) => {
  const { hashed, check } = await checkerOf(t, `ann:${bcrypt}\nbob:${bcrypt}\neve:!\njoe:{PLAIN}x\n`);
  assert.equal(await check('ann', 'wrong'), 'wrong');
  assert.equal(await check('nobody', 'wrong'), 'unknown');
  assert.equal(await check('../ann', 'wrong'), 'unknown');
  assert.equal(await check('eve', 'wrong'), 'wrong');
  assert.equal(await check('ann', 'tanstaaf'), 'right');
  assert.deepEqual(hashed, ['$2b$04$', '$2b$04$', '$2b$04$', '$2b$04$', '$2b$04$']);
});

test('the password of another user opens no unknown or locked account', async (t) => {
  const { check } = await checkerOf(t, `ann:${bcrypt}\neve:!${bcrypt}\n`);
  assert.equal(await check('nobody', 'tanstaaf'), 'unknown');
  assert.equal(await check('eve', 'tanstaaf'), 'wrong');
});

test('an empty or endless password is refused without work, whoever asks', async (t) => {
  const { hashed, check } = await checkerOf(t, `ann:${bcrypt}\n`);
  for (const password of ['', 'x'.repeat(512), 'x'.repeat(100_000)]) {
    assert.equal(await check('ann', password), 'wrong');
    assert.equal(await check('nobody', password), 'unknown');
  }
  assert.deepEqual(hashed, []);
});

test('a new user and a new password work at once, though the file was looked at just before', async (t) => {
  const { file, check } = await checkerOf(t, 'ann:{PLAIN}old\n');
  assert.equal(await check('ann', 'old'), 'right');
  await writeFile(`${file}.new`, 'ann:{PLAIN}new\nbob:{PLAIN}x\n', { mode: 0o600 });
  await rename(`${file}.new`, file);
  assert.equal(await check('bob', 'x'), 'right');
  assert.equal(await check('ann', 'new'), 'right');
  assert.equal(await check('ann', 'old'), 'wrong');
});

test('a flood of guesses is sent away, and quick checks do not wait behind it', async (t) => {
  const hash = Promise.withResolvers<boolean>();
  const slowly: Verify = (stored, password) =>
    costClassOf(stored) === 'quick' ? verify(stored, password) : hash.promise;
  const gate = new Gate({ running: 1, waiting: 1 });
  const { check } = await checkerOf(t, `ann:${bcrypt}\nbob:{PLAIN}x\neve:{PLAIN}x\n`, {
    verify: slowly,
    gate,
  });
  assert.equal(await check('bob', 'x'), 'right');
  const guesses = [check('ann', 'one'), check('ann', 'two'), check('ann', 'three')];
  await assert.rejects(Promise.race(guesses), Busy);
  assert.equal(await check('bob', 'x'), 'right');
  hash.resolve(false);
  const ends = await Promise.allSettled(guesses);
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
});
