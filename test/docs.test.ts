import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { samplesIn } from './docs-samples.ts';

const root = resolve(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map((path) => join('docs', path)),
  ...readdirSync(join(root, 'plugins')).map((plugin) => join('plugins', plugin, 'README.md')),
];

for (const page of pages) {
  test(`${page} shows only code that is a file of the repository`, () => {
    for (const { line, source, text } of samplesIn(readFileSync(join(root, page), 'utf8'), root)) {
      assert.equal(text, source, `${page}:${line} differs from the file it is said to be from`);
    }
  });
}
