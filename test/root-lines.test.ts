import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { codeLinesOf, reachOf } from './architecture/reach.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Where the program of the master's process begins, and what plugins call when they are imported. */
const program = ['core/cli/main.ts', 'core/plugin/plugin.ts'];

/** What that process loads and does not run with `isolation: 'user'`, each by the file that is called where it does run. */
const idle = [
  // The sessions of a daemon that is one process, and what plugins do in them: here children do that.
  'core/server/daemon.ts',
  'core/server/control/daemon-control.ts',
  'core/cli/configure.ts',
  // Other subcommands, and the manual.
  'core/cli/inetd.ts',
  'core/cli/check.ts',
  'core/cli/plugins.ts',
  'core/cli/plugin-subcommand.ts',
  'core/cli/control/add-control-commands.ts',
  'core/cli/manual/bare-commands.ts',
  'core/cli/manual/config-page.ts',
  'core/cli/manual/popper-page.ts',
];

/** What is root with `isolation: 'user'`: where it begins, and what is left out. */
const roots: readonly (readonly [string, readonly string[], (readonly string[])?])[] = [
  ['the master', ['core/server/master/master.ts']],
  ['its process', program, idle],
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

  test('the process of the master loads as many lines as docs/DESIGN.md says, with those that it does not run', () => {
    // Whoever imports popperd loads its index.
    const loaded = reachOf(root, [...program, 'core/index.ts']);
    assert.deepEqual(
      idle.filter((path) => !loaded.includes(path)),
      [],
      'is not loaded any more',
    );
    const lines = codeLinesOf(root, loaded);
    assert.equal(
      Number(/(\d+) lines in all/.exec(design)?.[1]),
      hundreds(lines),
      `${lines} lines are loaded`,
    );
  });

  test('the process of the master runs no code that reads what a client or a front has put into a stream', () => {
    const readers =
      /^core\/(session|commands|maildrop)\/|line-reader|server\/channel|incoming|frames|serve-logins/;
    assert.deepEqual(
      reachOf(root, program, idle).filter((path) => readers.test(path)),
      [],
    );
  });

  test('the master reaches no configuration and no plugin', () => {
    const reached = reachOf(root, ['core/server/master/master.ts']);
    assert.deepEqual(
      reached.filter((path) => /^core\/(plugin|config)\//.test(path)),
      [],
    );
  });
});
