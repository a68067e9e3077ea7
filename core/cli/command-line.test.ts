import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assert as check, boolean, integer, property, record, string } from 'fast-check';

import { type Flags, noFlags } from '../config/flags.ts';
import { readCommandLine, WrongOption, wordsOf } from './command-line.ts';

const flagsIn = (...args: readonly string[]): Flags => readCommandLine(args).flags;

// The classic popper's manual page, and section 1.1 of what is known of it.
const cases: readonly (readonly [line: string, flags: Partial<Flags>])[] = [
  ['-d', { debug: true }],
  ['-s', { statistics: true }],
  ['-k', { kerberos: true }],
  ['-t /var/log/poptrace', { trace: '/var/log/poptrace' }],
  ['-T 600', { timeoutSeconds: 600 }],
  ['-b /var/spool/bulls', { bulletins: '/var/spool/bulls' }],
  ['-ds -T30 -b/var/bulls', { debug: true, statistics: true, timeoutSeconds: 30, bulletins: '/var/bulls' }],
  ['-skT 15', { statistics: true, kerberos: true, timeoutSeconds: 15 }],
];
for (const [line, flags] of cases) {
  test(`popper ${line} is understood as the classic popper understood it`, () => {
    assert.deepEqual(flagsIn(...line.split(' ')), { ...noFlags, ...flags });
  });
}

test('a value that begins with a dash is the value, as getopt has it', () => {
  assert.equal(flagsIn('-b', '-odd').bulletins, '-odd');
});

test('what stands behind the options is left as it is, long options too', () => {
  assert.deepEqual(readCommandLine(['-s', 'passwd', 'add', '-s']).rest, ['passwd', 'add', '-s']);
  assert.deepEqual(readCommandLine(['-c', 'x.ts', '--version']).rest, ['--version']);
  assert.deepEqual(readCommandLine(['-V']).rest, ['-V']);
});

test('the config is named in any of four spellings', () => {
  for (const args of [['-c', 'x.ts'], ['-cx.ts'], ['--config', 'x.ts'], ['--config=x.ts']])
    assert.equal(readCommandLine(['-s', ...args, 'serve']).file, 'x.ts');
});

for (const args of [
  ['-x'],
  ['-sx'],
  ['-T'],
  ['-T', 'soon'],
  ['-T', '0'],
  ['-T', '-5'],
  ['-T', '2147484'],
  ['-b'],
]) {
  test(`popper ${args.join(' ')} is wrong`, () => {
    assert.throws(() => readCommandLine(args), WrongOption);
  });
}

test("who keeps qpopper's switches is told where it stands what they are here", () => {
  for (const letter of 'CDefKlpRSuUvxy')
    assert.throws(() => readCommandLine([`-s${letter}`]), { message: /-.: .*qpopper.*from-qpopper\.md/ });
  assert.throws(() => readCommandLine(['-z']), { message: 'there is no option -z' });
});

test('flags become words that are read as the same flags', () => {
  const text = string({ minLength: 1 });
  const flags = record(
    {
      debug: boolean(),
      statistics: boolean(),
      kerberos: boolean(),
      trace: text,
      timeoutSeconds: integer({ min: 1, max: 2_147_483 }),
      bulletins: text,
    },
    { requiredKeys: ['debug', 'statistics', 'kerberos'] },
  );
  check(property(flags, (given) => assert.deepEqual(flagsIn(...wordsOf(given)), { ...given })));
});
