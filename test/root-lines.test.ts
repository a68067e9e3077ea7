import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { importsOf } from './architecture/imports.ts';
import { codeLinesOf, reachOf } from './architecture/reach.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Where the program of the master's process begins. */
const program = 'core/cli/main.ts';

/** What that program imports where it is wanted, which as the master of `isolation: 'user'` it is not. */
const unwanted = [
  'core/cli/serve-alone.ts',
  'core/cli/inetd.ts',
  'core/cli/check.ts',
  'core/cli/plugins.ts',
  'core/cli/plugin-subcommand.ts',
  'core/cli/manual/show-manual.ts',
  'core/config/load-config.ts',
];

/** What is root with `isolation: 'user'`: where it begins, and what is left out. */
const roots: readonly (readonly [string, readonly string[], (readonly string[])?])[] = [
  ['the master', ['core/server/master/master.ts']],
  ['its process', [program], unwanted],
  ['the auth process', ['core/server/user/auth.ts']],
  ['the change of user', ['core/server/user/privileges.ts']],
];

const design = readFileSync(`${root}docs/DESIGN.md`, 'utf8');
const hundreds = (lines: number): number => Math.round(lines / 100) * 100;

describe('what runs as root', () => {
  for (const [what, starts, without] of roots) {
    test(`${what} has as many lines as docs/DESIGN.md says, to the nearest hundred`, () => {
      const lines = codeLinesOf(root, reachOf(root, starts, without));
      const told = new RegExp(`\\| ${what} +\\| (\\d+) `).exec(design)?.[1];
      assert.equal(Number(told), hundreds(lines), `${lines} lines are reached from ${starts.join()}`);
    });
  }

  test('the process of the master imports where it is wanted what it does not run', () => {
    const reached = reachOf(root, [program], unwanted);
    const imports = reached.flatMap((path) =>
      importsOf(readFileSync(`${root}${path}`, 'utf8')).map((one) => ({
        ...one,
        from: posix.join(posix.dirname(path), one.from),
      })),
    );
    for (const path of unwanted) {
      const ways = imports.filter(({ from, typeOnly }) => from === path && !typeOnly);
      assert.ok(ways.length > 0, `${path} is not imported any more`);
      assert.ok(
        ways.every(({ isLate }) => isLate),
        `${path} is loaded with the program`,
      );
    }
  });

  test('the process of the master runs no code that reads what a client or a front has put into a stream', () => {
    const readers =
      /^core\/(session|commands|maildrop)\/|line-reader|server\/channel|incoming|frames|serve-logins/;
    assert.deepEqual(
      reachOf(root, [program], unwanted).filter((path) => readers.test(path)),
      [],
    );
  });

  test('the process of the master runs no code that loads a configuration or has to do with plugins', () => {
    const reached = reachOf(root, [program], unwanted);
    assert.deepEqual(
      reached.filter((path) => /^core\/(plugin|config)\//.test(path)),
      // Where it is, what the command line says to it, and how it is told what is wrong with it.
      ['error-facts', 'flags', 'locate-config', 'problem', 'render-problem', 'source'].map(
        (name) => `core/config/${name}.ts`,
      ),
    );
  });
});
