import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { codeLinesOf, reachOf } from './architecture/reach.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** What is root with `isolation: 'user'`, by the file where it begins. */
const roots = [
  ['the master', 'core/server/master/master.ts'],
  ['the auth process', 'core/server/user/auth.ts'],
  ['the change of user', 'core/server/user/privileges.ts'],
] as const;

describe('what runs as root', () => {
  for (const [what, start] of roots) {
    test(`${what} has as many lines as docs/DESIGN.md says, to the nearest hundred`, () => {
      const design = readFileSync(`${root}docs/DESIGN.md`, 'utf8');
      const lines = codeLinesOf(root, reachOf(root, start));
      const told = new RegExp(`\\| ${what} +\\| (\\d+) `).exec(design)?.[1];
      assert.equal(Number(told), Math.round(lines / 100) * 100, `${lines} lines are reached from ${start}`);
    });
  }

  test('the master reaches no code that reads what a client or a front has put into a stream', () => {
    const reached = reachOf(root, 'core/server/master/master.ts');
    const readers =
      /^core\/(session|commands|maildrop|plugin|config)\/|line-reader|\/channel|incoming|frames|serve-logins/;
    assert.deepEqual(
      reached.filter((path) => readers.test(path)),
      [],
    );
  });
});
