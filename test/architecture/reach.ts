import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

import { importsOf } from './imports.ts';

/**
 * The files of the core that run where these do: they, and what they import for more than its types, but for those that are
 * `without` and what only they import. By paths from the root.
 */
export function reachOf(
  root: string,
  starts: readonly string[],
  without: readonly string[] = [],
): readonly string[] {
  const found = new Set<string>();
  const unread = [...starts];
  for (let path = unread.pop(); path !== undefined; path = unread.pop()) {
    if (found.has(path) || without.includes(path)) continue;
    found.add(path);
    for (const { from, typeOnly } of importsOf(readFileSync(`${root}${path}`, 'utf8'))) {
      if (from.startsWith('.') && !typeOnly) unread.push(posix.join(posix.dirname(path), from));
    }
  }
  return [...found].toSorted();
}

/** Lines that are neither empty nor comments. */
export const codeLinesOf = (root: string, paths: readonly string[]): number =>
  paths.reduce((sum, path) => sum + codeLines(readFileSync(`${root}${path}`, 'utf8')), 0);

const codeLines = (source: string): number =>
  source.split('\n').filter((line) => !/^\s*(?:$|\/\/|\/?\*)/.test(line)).length;
