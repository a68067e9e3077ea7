import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, test } from 'node:test';

import { traceSubcommand } from './subcommand.ts';
import { readTargets } from './target-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-trace-'));
  path = join(folder, 'trace.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function trace(...args: readonly string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const printed = Promise.all([text(stdout), text(stderr)]);
  const code = await traceSubcommand(() => path).run(args, { stdin: Readable.from([]), stdout, stderr });
  stdout.end();
  stderr.end();
  const [said, complained] = await printed;
  return { code, said, complained };
}

const minutesLeft = (): readonly number[] =>
  readTargets(path).map(({ untilMs }) => Math.round((untilMs - Date.now()) / 60_000));

test('an operator traces a user and an address, looks who is traced, and turns it off', async () => {
  assert.deepEqual(await trace('--list'), { code: 0, said: 'nobody is traced\n', complained: '' });
  const { code, said } = await trace('mrose');
  assert.equal(code, 0);
  assert.match(said, /^user mrose is traced until 20[-0-9]+T[0-9:.]+Z\n$/);
  await trace('--minutes', '5', '2001:DB8::1');
  assert.deepEqual(minutesLeft(), [60, 5]);
  assert.match((await trace('--list')).said, /^user mrose .*\naddress 2001:db8::1 is traced until .*\n$/);
  await trace('mrose', '--minutes=1440');
  assert.deepEqual(minutesLeft(), [5, 1440]);
  const off = await trace('2001:db8:0::1', '--off');
  assert.deepEqual(off, { code: 0, said: '2001:db8::1 is no longer traced\n', complained: '' });
  assert.deepEqual(minutesLeft(), [1440]);
});

test('turning off what is not on is said, and so is the end of its time', async () => {
  await writeFile(path, '{"targets":[{"kind":"user","name":"mrose","untilMs":1}]}');
  assert.deepEqual(await trace('mrose', '--off'), {
    code: 1,
    said: '',
    complained: 'popper trace: mrose is not traced\n',
  });
});

for (const [args, complaint] of [
  [['../mrose'], /expected an IP address or the name of a user; a name has 1 to 64 letters/],
  [['mrose', '--minutes', '0'], /--minutes: expected a whole number from 1 to 1440, got 0/],
  [['mrose', '--minutes', '1441'], /--minutes: expected/],
  [['mrose', '--minutes', '1e2'], /--minutes: expected/],
  [['mrose', '--minutes'], /usage: popper trace USER\|ADDRESS/],
  [['mrose', '--minutes', '5', '--off'], /usage:/],
  [['mrose', 'bob'], /usage:/],
  [['mrose', '--list'], /usage:/],
  [['--of', 'mrose'], /usage:/],
  [[], /usage:/],
] satisfies readonly (readonly [readonly string[], RegExp])[]) {
  test(`popper trace ${args.join(' ')} is refused, and says what would be right`, async () => {
    const { code, complained } = await trace(...args);
    assert.equal(code, 2);
    assert.match(complained, complaint);
    assert.deepEqual(readTargets(path), []);
  });
}

test('where the daemon has never run, or the file is broken, nobody is told that all is well', async () => {
  await writeFile(path, '{');
  assert.deepEqual(await trace('mrose'), {
    code: 2,
    said: '',
    complained: `popper trace: ${path}: it does not say who is to be traced: remove it\n`,
  });
  path = join(folder, 'none/trace.json');
  const { code, complained } = await trace('mrose');
  assert.equal(code, 2);
  assert.match(
    complained,
    /none\/trace\.json: its folder is not there: the daemon makes it when it is started/,
  );
});

test('no more are traced than a daemon can look through for each line', async () => {
  const targets = Array.from({ length: 100 }, (_, index) => ({
    kind: 'user',
    name: `user${index}`,
    untilMs: 8_000_000_000_000,
  }));
  await writeFile(path, JSON.stringify({ targets }));
  const { code, complained } = await trace('mrose');
  assert.equal(code, 2);
  assert.match(complained, /100 are traced already: turn some --off/);
  assert.equal((await trace('user7', '--minutes', '5')).code, 0, 'one of them is no new one');
});
