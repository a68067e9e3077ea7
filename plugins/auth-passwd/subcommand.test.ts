import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';

import { passwd } from './subcommand.ts';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-passwd-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Runs `popper passwd` with this on its standard input, which is no terminal. */
async function run(args: readonly string[], input = ''): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await passwd.run(args, { stdin: Readable.from([Buffer.from(input)]), stdout, stderr });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

test('an operator adds, checks, changes and deletes a user from a script', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  assert.deepEqual(await run(['add', file, 'ann'], 'one two\n'), { code: 0, out: 'added ann\n', err: '' });
  assert.equal((await run(['verify', file, 'ann'], 'one two\r\n')).code, 0);
  assert.equal((await run(['verify', file, 'ann'], 'one')).code, 1);
  assert.equal((await run(['add', file, 'ann'], 'three')).out, 'changed ann\n');
  assert.equal((await run(['verify', file, 'ann'], 'three\nand more')).code, 0);
  assert.equal((await run(['verify', file, 'bob'], 'three')).code, 1);
  assert.equal((await run(['delete', file, 'ann'])).code, 0);
  assert.equal((await run(['delete', file, 'ann'])).code, 1);
  assert.equal(await readFile(file, 'utf8'), '');
});

test('what cannot be done ends with 2, says why, and changes nothing', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  await writeFile(file, 'ann:{PLAIN}x\n', { mode: 0o600 });
  const refused: readonly (readonly [args: readonly string[], input: string, says: RegExp])[] = [
    [[], '', /^usage:/],
    [['add', file], 'x', /^usage:/],
    [['add', file, 'a', 'b'], 'x', /^usage:/],
    [['list', file, 'ann'], 'x', /^usage:/],
    [['__proto__', file, 'ann'], 'x', /^usage:/],
    [['add', file, 'a:b'], 'x', /a name has/],
    [['add', file, 'bob'], '', /password is empty/],
    [['add', file, 'bob'], '\nx', /password is empty/],
    [['add', file, 'bob'], 'x'.repeat(2000), /longer than 511/],
    [['verify', `${file}-not`, 'ann'], 'x', /no such file/],
    [['delete', `${file}-not`, 'ann'], '', /no such file/],
  ];
  for (const [args, input, says] of refused) {
    const { code, out, err } = await run(args, input);
    assert.deepEqual({ code, out }, { code: 2, out: '' }, args.join(' '));
    assert.match(err, says);
  }
  assert.equal(await readFile(file, 'utf8'), 'ann:{PLAIN}x\n');
});

const program = `import { passwd } from ${JSON.stringify(import.meta.resolve('./subcommand.ts'))};
process.exitCode = await passwd.run(process.argv.slice(1), process);`;

/** Runs it on a terminal of its own; each answer is typed when its question has appeared. */
async function typed(
  args: readonly string[],
  answers: readonly string[],
): Promise<{ code: unknown; screen: string }> {
  const words = [process.execPath, '-C', 'popper-source', '--input-type=module', '-e', program, ...args];
  const line = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const seen = { screen: '', asked: 0 };
  terminal.stdout.on('data', (chunk) => {
    seen.screen += String(chunk);
    const asked = seen.screen.split(': ').length - 1;
    for (; seen.asked < asked; seen.asked++) terminal.stdin.write(answers[seen.asked] ?? '');
  });
  const code = await new Promise((resolve) => terminal.once('close', resolve));
  return { code, screen: seen.screen };
}

test('on a terminal the password is asked for twice, and nobody can read it off the screen', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  const { code, screen } = await typed(['add', file, 'ann'], ['hunterx\u007f2\r', 'hunter2\r']);
  assert.equal(code, 0);
  assert.match(screen, /New password for ann: \s+The same again: \s+added ann/);
  assert.doesNotMatch(screen, /hunter|\*/);
  assert.equal((await run(['verify', file, 'ann'], 'hunter2')).code, 0);
});

test('two different answers, or leaving by Ctrl-C or Ctrl-D, make no user', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  for (const answers of [['one\r', 'two\r'], ['one\r', '\u0003'], ['\u0004']]) {
    const { code, screen } = await typed(['add', file, 'ann'], answers);
    assert.equal(code, 2);
    assert.match(screen, /nothing was changed/);
  }
  await assert.rejects(readFile(file), { code: 'ENOENT' });
});

/** A Node as it was before 24.7. */
const olderNode = `import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
delete crypto.argon2;
syncBuiltinESMExports();`;

/** Runs code in a process of that Node. */
function underOlderNode(code: string, args: readonly string[] = []) {
  const preload = ['--import', `data:text/javascript,${encodeURIComponent(olderNode)}`];
  const options = ['-C', 'popper-source', ...preload, '--input-type=module', '-e', code, ...args];
  return spawnSync(process.execPath, options, { encoding: 'utf8', input: 'secret\n' });
}

test('on a Node without argon2 whoever adds or checks a password is told what to do, and nothing is made', async (t) => {
  const folder = await folderOf(t);
  const advice =
    /^popper passwd: argon2 needs Node 24\.7 or newer, .*npm install --prefix \/opt\/popper node-linux-\w+@24\n$/;
  const added = underOlderNode(program, ['add', join(folder, 'new'), 'ann']);
  assert.match(added.stderr, advice);
  assert.equal(added.status, 2);
  await assert.rejects(readFile(join(folder, 'new')), { code: 'ENOENT' });

  const file = join(folder, 'passwd');
  await run(['add', file, 'ann'], 'secret');
  const verified = underOlderNode(program, ['verify', file, 'ann']);
  assert.match(verified.stderr, advice);
  assert.equal(verified.status, 2);
});

test('on a Node without argon2 a stranger to a file without users is refused as ever, and not told to come back', async (t) => {
  const file = join(await folderOf(t), 'passwd');
  await writeFile(file, '', { mode: 0o600 });
  const verified = underOlderNode(program, ['verify', file, 'stranger']);
  assert.match(verified.stderr, /there is no user stranger/);
  assert.equal(verified.status, 1);
});
