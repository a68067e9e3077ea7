import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, before, test } from 'node:test';

import { expectedAt } from '../../config/expected.ts';
import { configSchema } from '../../config/schema.ts';
import { runInMemory } from '../in-memory-io.ts';
import { documentedKeys, keysIn } from './config-docs.ts';
import { manPages } from './man-pages.ts';

const folder = new URL('../../man/', import.meta.url);

let empty: string;
before(async () => {
  empty = await mkdtemp(join(tmpdir(), 'popper-manual-'));
});
after(() => rm(empty, { recursive: true }));

const made = manPages({
  stdin: Readable.from([]),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  workingFolder: '/',
  otherFolders: [],
});

test('the manual pages are those of this popper (npm run man writes them)', () => {
  assert.deepEqual(
    readdirSync(folder).filter((name) => /\.[58]$/.test(name)),
    [...made.keys()].toSorted(),
  );
  for (const [name, page] of made) assert.equal(readFileSync(new URL(name, folder), 'utf8'), page);
});

for (const [name, page] of made) {
  test(`man can show ${name}`, { skip: hasGroff() ? false : 'groff is not installed' }, () => {
    const { stdout, stderr, status } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-P-cbou'], {
      input: page,
    });
    assert.deepEqual([stderr.toString(), status], ['', 0]);
    const shown = stdout.toString();
    assert.match(shown, /^NAME$/m);
    assert.doesNotMatch(shown, /\\f|`/);
  });
}

function hasGroff(): boolean {
  return spawnSync('groff', ['--version']).status === 0;
}

test('every key of the configuration is in the manual, with what is expected there', () => {
  const keys = documentedKeys();
  const top = keys.filter(({ path }) => path.length === 1).map(({ path: [key] }) => key);
  assert.deepEqual(new Set(top), new Set(Object.keys(configSchema.shape)));
  for (const { path } of keys) assert.notEqual(expectedAt(path), '', path.join('.'));
});

test('every key says what it means, itself or by the keys inside of it', () => {
  const keys = documentedKeys();
  const mute = keys.filter(({ text }) => text === '').map(({ path }) => path);
  for (const path of mute)
    assert.ok(
      keys.some((other) => other.path.length === 2 && other.path[0] === path[0]),
      path.join('.'),
    );
});

test('comments of one line and of several are read, and members inside of members', () => {
  const source = [
    'export interface Config {',
    '  /** One. */',
    '  readonly a: number;',
    '  readonly b?: {',
    '    /**',
    '     * Two',
    '     * lines.',
    '     */',
    '    readonly c?: string;',
    '  };',
    '}',
  ].join('\n');
  assert.deepEqual(keysIn(source), [
    { path: ['a'], text: 'One.' },
    { path: ['b'], text: '' },
    { path: ['b', 'c'], text: 'Two lines.' },
  ]);
  assert.deepEqual(keysIn(source.replaceAll(/^( +)(?=\S)/gm, '$1$1')), keysIn(source));
});

test('popper help shows the manual of the program, without a config too', async () => {
  const { code, stdout } = await runInMemory(['help'], empty);
  assert.equal(code, 0);
  assert.match(stdout, /^POPPER\(8\)\n\nNAME\n {4}popper - a POP3 daemon/);
  for (const heading of ['SYNOPSIS', 'OPTIONS', 'SUBCOMMANDS', 'POP3 COMMANDS', 'EXIT STATUS'])
    assert.match(stdout, new RegExp(`^${heading}$`, 'm'));
  assert.match(stdout, /^ {4}kick <target>$/m);
  assert.match(stdout, /^ {4}help \[word\]$/m);
  assert.match(stdout, /^ {4}TOP msg n\n {8}In TRANSACTION\. Announced by CAPA as TOP\.$/m);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
});

test('popper help shows what the plugins of the config bring', async () => {
  const plugin = `
    import { defineCommand, definePlugin, ok } from 'popperd';
    export default definePlugin({ name: 'abacus', apply({ commands, subcommands }) {
      commands.add(defineCommand({
        keyword: 'COUNT', states: ['TRANSACTION'], usage: 'COUNT n', parse: (args) => args.count(), run: () => ok(),
      }));
      subcommands.add({ name: 'count', summary: 'add up numbers', usage: '', run: async () => 0 });
    } });`;
  await writeFile(join(empty, 'abacus.js'), plugin);
  await writeFile(
    join(empty, 'popper.config.yaml'),
    'listen: [{ port: 0 }]\nstateDir: var\nplugins: [./abacus.js]\n',
  );
  const { stdout } = await runInMemory(['help'], empty);
  assert.match(stdout, /^ {4}COUNT n$/m);
  assert.match(stdout, /^ {4}count\n {8}add up numbers$/m);
});

test('popper help config shows the manual of the configuration', async () => {
  const { code, stdout } = await runInMemory(['help', 'config'], empty);
  assert.equal(code, 0);
  assert.match(stdout, /^POPPER\.CONFIG\(5\)\n/);
  assert.match(stdout, /^ {4}idleTimeoutMs$/m);
});
