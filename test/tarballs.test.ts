import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

const root = fileURLToPath(new URL('../', import.meta.url));
const folders = globSync(['core/package.json', 'plugins/*/package.json'], { cwd: root }).map(dirname);
const packed = z.tuple([z.object({ files: z.array(z.object({ path: z.string() })) })]);

/** What `npm publish` would send, by npm's own word. Builds nothing: tests run on what is built. */
function filesOf(folder: string): readonly string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [{ files }] = packed.parse(
    JSON.parse(execFileSync('npm', args, { cwd: `${root}${folder}`, encoding: 'utf8' })),
  );
  return files.map(({ path }) => path);
}

/** `popperd/testing` is for others; what stands in a folder of this name elsewhere is for this repository's own tests. */
const isOfTests = (path: string): boolean =>
  /\.test\.|in-memory-io/.test(path) || (path.includes('/testing/') && !path.startsWith('dist/testing/'));

for (const folder of folders) {
  test(`the package in ${folder} brings its licence and what it is for, and no helper of tests`, () => {
    const files = filesOf(folder);
    assert.ok(['LICENSE', 'README.md', 'package.json'].every((name) => files.includes(name)));
    assert.ok(files.includes('dist/index.js'), 'it is built');
    assert.deepEqual(files.filter(isOfTests), []);
    assert.equal(readFileSync(`${root}${folder}/LICENSE`, 'utf8'), readFileSync(`${root}LICENSE`, 'utf8'));
  });
}
