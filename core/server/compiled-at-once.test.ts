import { deepStrictEqual as deepEqual } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { pathToFileURL } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'popper-compiled-'));
after(() => rmSync(folder, { recursive: true }));

/** What V8 calls a function that nobody has called yet, of a module each: loaded before, meanwhile, and after a load that fails. */
const program = `
import { compiledAtOnce } from '${pathToFileURL(join(import.meta.dirname, 'compiled-at-once.ts')).href}';
const before = await import('./before.mjs');
const meanwhile = await compiledAtOnce(() => import('./meanwhile.mjs'));
await compiledAtOnce(() => import('./missing.mjs')).catch(() => {});
const behind = await import('./behind.mjs');
for (const { uncalled } of [before, meanwhile, behind]) %DebugPrint(uncalled);
`;

it('functions of what is loaded meanwhile are compiled before they are called, and others are not', () => {
  for (const name of ['before', 'meanwhile', 'behind'])
    writeFileSync(join(folder, `${name}.mjs`), 'export function uncalled() { return 1; }');
  writeFileSync(join(folder, 'program.mjs'), program);
  const args = ['-C', 'popper-source', '--allow-natives-syntax', join(folder, 'program.mjs')];
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8' });
  const builtins = Array.from(printed.matchAll(/ - builtin: (\w+)$/gm), ([, builtin]) => builtin);
  deepEqual(builtins, ['CompileLazy', 'InterpreterEntryTrampoline', 'CompileLazy']);
});
