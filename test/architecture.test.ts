import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

import { importsOf } from './architecture/imports.ts';
import {
  foreignImports,
  needlessExports,
  type Package,
  type SourceFile,
  upwardImports,
} from './architecture/walls.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

const sourcesOf = (pattern: string): readonly SourceFile[] =>
  globSync(pattern, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] })
    .filter(
      (path) =>
        !path.endsWith('.test.ts') && !path.endsWith('.d.ts') && !path.startsWith('core/protocol/kernel/'),
    )
    .map((path) => ({ path, source: readFileSync(`${root}${path}`, 'utf8') }));

const named = z.record(z.string(), z.unknown()).default({});
const manifestSchema = z.object({
  name: z.string(),
  exports: named,
  dependencies: named,
  peerDependencies: named,
});
const packages = globSync(['core/package.json', 'plugins/*/package.json'], { cwd: root }).map(packageAt);

function packageAt(path: string): Package {
  const manifest: unknown = JSON.parse(readFileSync(`${root}${path}`, 'utf8'));
  const { name, exports, dependencies, peerDependencies } = manifestSchema.parse(manifest);
  return {
    folder: path.replace('/package.json', ''),
    name,
    exports: Object.keys(exports),
    dependencies: Object.keys({ ...dependencies, ...peerDependencies }),
  };
}

test('no import in the core points up the list of its parts', () => {
  const files = sourcesOf('core/**/*.ts');
  assert.ok(files.length > 50);
  assert.deepEqual(upwardImports(files), []);
});

test('a plugin imports popperd, Node, its own dependencies and its own files', () => {
  const files = sourcesOf('plugins/**/*.ts');
  assert.ok(files.length > 10);
  assert.deepEqual(foreignImports(files, packages), []);
});

test('a package can be entered at its index and its test kit only', () => {
  assert.ok(packages.length > 2);
  assert.deepEqual(needlessExports(packages), []);
});

test('Node lets a plugin import of popperd what it exports, and refuses the rest', () => {
  const doors = ['popperd', 'popperd/testing'];
  const inside = [
    'popperd/dist/server/daemon.js',
    'popperd/dist/index.js',
    'popperd/server/daemon.ts',
    'popperd/package.json',
  ];
  const told = [
    ...doors.map((name) => `${name}: is there`),
    ...inside.map((name) => `${name}: ERR_PACKAGE_PATH_NOT_EXPORTED`),
  ];
  const plugins = packages.filter(({ folder }) => folder.startsWith('plugins/'));
  assert.ok(plugins.length > 2);
  for (const { folder } of plugins)
    assert.deepEqual(resolutionsIn(`${root}${folder}`, [...doors, ...inside]), told, folder);
});

/** What Node says to each import of a file in that folder. Nothing is loaded. */
function resolutionsIn(folder: string, names: readonly string[]): readonly string[] {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', resolver, ...names], {
    cwd: folder,
    encoding: 'utf8',
  });
  return stdout.trim().split('\n');
}

const resolver = `
  for (const name of process.argv.slice(1)) {
    try {
      import.meta.resolve(name);
      console.log(name + ': is there');
    } catch ({ code }) {
      console.log(name + ': ' + code);
    }
  }`;

const holes: readonly (readonly [what: string, path: string, source: string, complaint: RegExp])[] = [
  [
    'protocol that uses a session',
    'core/protocol/reply.ts',
    "import { Deletions } from '../session/deletions.ts';",
    /value from above, session/,
  ],
  [
    'protocol that knows a session by type',
    'core/protocol/reply.ts',
    "import type { Session } from '../session/session.ts';",
    /type from above, session/,
  ],
  [
    'auth that knows a hook by type',
    'core/auth/login.ts',
    "import type { Hooks } from '../plugin/hooks.ts';",
    /type from above, plugin/,
  ],
  [
    'a maildrop that knows the core by type',
    'core/maildrop/scan.ts',
    "export type { Core } from '../core.ts';",
    /type from above, core.ts/,
  ],
  [
    'a session that uses a command',
    'core/session/dispatch.ts',
    "import { retr } from '../commands/retr.ts';",
    /value from above, commands/,
  ],
  [
    'a session that uses the server',
    'core/session/transact.ts',
    "export { State } from '../server/state.ts';",
    /value from above, server/,
  ],
  [
    'a session that loads the core when it runs',
    'core/session/transact.ts',
    "const core = await import('../core.ts');",
    /value from above, core.ts/,
  ],
  [
    'a command that uses the core',
    'core/commands/capa.ts',
    "import { createCore } from '../core.ts';",
    /value from above, core.ts/,
  ],
  [
    'a command that uses plugin/',
    'core/commands/capa.ts',
    "import { Table } from '../plugin/table.ts';",
    /value from above, plugin/,
  ],
  [
    'a server that uses plugin/',
    'core/server/daemon.ts',
    "import { Table } from '../plugin/table.ts';",
    /for core.ts and config/,
  ],
  [
    'a server that uses the config',
    'core/server/daemon.ts',
    "import { load } from '../config/load.ts';",
    /value from above, config/,
  ],
  [
    'settings that use the log',
    'core/settings.ts',
    "import { State } from './server/state.ts';",
    /value from above, server/,
  ],
  [
    'a daemon that leans on the test kit',
    'core/server/daemon.ts',
    "import { memoryState } from '../testing.ts';",
    /value from above, testing.ts/,
  ],
  [
    'a type among values',
    'core/session/dispatch.ts',
    "import { type Command } from '../commands/command.ts';",
    /value from above, commands/,
  ],
  [
    'an import for its effects',
    'core/protocol/reply.ts',
    "import '../log/logger.ts';\nimport '../cli/main.ts';",
    /value from above, cli/,
  ],
  [
    'an import over several lines',
    'core/auth/login.ts',
    "import {\n  ok,\n  err,\n} from '../session/answer.ts';",
    /value from above, session/,
  ],
  [
    'a part that nobody placed',
    'core/extras/x.ts',
    "import { ok } from '../protocol/reply.ts';",
    /does not know, extras/,
  ],
  [
    'the core that imports itself by name',
    'core/session/x.ts',
    "import { ok } from 'popperd';",
    /its own package/,
  ],
];

for (const [what, path, source, complaint] of holes) {
  test(`the wall in the core holds against ${what}`, () => {
    const [found = 'nothing was found', ...more] = upwardImports([{ path, source }]);
    assert.match(found, complaint);
    assert.deepEqual(more, []);
  });
}

const doors: readonly (readonly [path: string, source: string])[] = [
  ['core/session/dispatch.ts', "import type { Core } from '../core.ts';"],
  [
    'core/plugin/taps.ts',
    "import type { Core } from '../core.ts';\nimport { Failure } from '../protocol/failure.ts';",
  ],
  ['core/config/load.ts', "import { validate } from '../plugin/schema.ts';"],
  ['core/core.ts', "import { Table } from './plugin/table.ts';\nimport { retr } from './commands/retr.ts';"],
  ['core/index.ts', "export { definePlugin } from './plugin/plugin.ts';"],
  ['core/session/dispatch.ts', "// import { retr } from '../commands/retr.ts';\n/* import '../core.ts'; */"],
  ['core/server/lock.ts', "import { tryLock } from 'fs-native-extensions';"],
];

for (const [path, source] of doors) {
  test(`the wall in the core has a door for ${path}: ${source.split('\n')[0]}`, () => {
    assert.deepEqual(upwardImports([{ path, source }]), []);
  });
}

const store: Package = {
  folder: 'plugins/store-x',
  name: 'popper-plugin-store-x',
  exports: ['.'],
  dependencies: ['zod', '@scope/a', 'popperd'],
};

for (const from of [
  'popperd/session/transact.ts',
  'popperd/testing',
  '../../core/index.ts',
  '../store-mbox/index.ts',
  'pino',
  '@scope/b',
  'fs',
  '../store-xy/a.ts',
]) {
  test(`the wall around a plugin holds against ${from}`, () => {
    const file = { path: 'plugins/store-x/index.ts', source: `import { x } from '${from}';` };
    assert.deepEqual(foreignImports([file], [store]), [`plugins/store-x/index.ts may not import ${from}`]);
    assert.equal(
      foreignImports([{ ...file, source: `import type { X } from '${from}';` }], [store]).length,
      1,
    );
  });
}

for (const from of [
  'popperd',
  'node:fs',
  'zod',
  'zod/mini',
  '@scope/a/b',
  './rows.ts',
  './commit/../rows.ts',
]) {
  test(`the wall around a plugin has a door for ${from}`, () => {
    const file = { path: 'plugins/store-x/index.ts', source: `import { x } from '${from}';` };
    assert.deepEqual(foreignImports([file], [store]), []);
  });
}

test('the wall around a plugin has a door for popperd/testing in its own test kit only', () => {
  const source = "import { memoryState } from 'popperd/testing';";
  const kit = ['testing.ts', 'testing/spool.ts'].map((path) => ({ path: `plugins/store-x/${path}`, source }));
  assert.deepEqual(foreignImports(kit, [store]), []);
});

test('the wall around a package holds against another way in', () => {
  const entries = ['.', './testing', './session', './*'];
  assert.deepEqual(needlessExports([{ ...store, exports: entries }]), [
    'popper-plugin-store-x exports ./session',
    'popper-plugin-store-x exports ./*',
  ]);
});

test('every form of import is seen', () => {
  const source = [
    "import a from 'a';",
    "import * as b from 'b';",
    "import type { C } from 'c';",
    "export { d } from 'd';",
    "export * from 'e';",
    "export type { F } from 'f';",
    "import 'g';",
    "await import('h');",
    "import type, { i } from 'i';",
    "const text = 'no import';",
  ].join('\n');
  const seen = importsOf(source).map(({ from, typeOnly }) => (typeOnly ? from.toUpperCase() : from));
  assert.deepEqual(new Set(seen), new Set(['a', 'b', 'C', 'd', 'e', 'F', 'g', 'h', 'i']));
});
