import { posix } from 'node:path';

import { importsOf } from './imports.ts';

/** A source file by its path from the root: `core/session/transact.ts`. */
export interface SourceFile {
  readonly path: string;
  readonly source: string;
}

/** A package.json by its folder from the root: `plugins/store-mbox`. */
export interface Package {
  readonly folder: string;
  readonly name: string;
  readonly exports: readonly string[];
  readonly dependencies: readonly string[];
}

/**
 * The core's parts from the top down: values are imported from lower ones only. Parts in one row are neighbours. Whoever
 * stands above may use `plugin/`; below it only `core.ts` and `config` may.
 */
const rows: readonly (readonly string[])[] = [
  ['bin', 'cli', 'index.ts', 'testing', 'testing.ts'],
  ['config'],
  ['server'],
  ['core.ts'],
  ['plugin'],
  ['commands'],
  ['session'],
  ['replies'],
  ['maildrop', 'auth'],
  ['protocol'],
  ['log', 'settings.ts', 'secret.ts', 'counted.ts', 'did-you-mean.ts', 'package-version.ts'],
];

const mayUsePlugin = [...(rows[0] ?? []), 'core.ts', 'config'];
/** These know nothing of what is built on them, types included. */
const grounded = [
  'protocol',
  'auth',
  'maildrop',
  'log',
  'settings.ts',
  'secret.ts',
  'counted.ts',
  'did-you-mean.ts',
];

/** Every import of the core that points up the list, one sentence each. */
export function upwardImports(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, source }) =>
    importsOf(source).flatMap(({ from, typeOnly }) => {
      if (!from.startsWith('.'))
        return from === 'popperd' ? [`${path} imports its own package, popperd`] : [];
      const complaint = complaintAbout(partOf(path), partOf(posix.join(posix.dirname(path), from)), typeOnly);
      return complaint === undefined ? [] : [`${path} ${complaint}: ${from}`];
    }),
  );
}

function complaintAbout(importer: string, imported: string, typeOnly: boolean): string | undefined {
  if (importer === imported) return undefined;
  const unknown = [importer, imported].find((part) => rowOf(part) === -1);
  if (unknown !== undefined) return `has a part that the list does not know, ${unknown}`;
  if (rowOf(imported) < rowOf(importer)) return complaintAboutUpward(importer, imported, typeOnly);
  const uses = imported === 'plugin' && !typeOnly;
  if (!uses || mayUsePlugin.includes(importer)) return undefined;
  return 'imports a value of plugin/, which is for core.ts and config';
}

function complaintAboutUpward(importer: string, imported: string, typeOnly: boolean): string | undefined {
  if (!typeOnly) return `imports a value from above, ${imported}`;
  return grounded.includes(importer) ? `imports a type from above, ${imported}` : undefined;
}

const rowOf = (part: string): number => rows.findIndex((row) => row.includes(part));

/** The folder below `core/`, or the file's name where it lies in `core/` itself. */
const partOf = (path: string): string => path.split('/')[1] ?? '';

/** Every import of a plugin that is neither popperd, Node, one of its dependencies nor a file of its own. */
export function foreignImports(
  files: readonly SourceFile[],
  packages: readonly Package[],
): readonly string[] {
  return files.flatMap(({ path, source }) => {
    const owner = packages.find(({ folder }) => path.startsWith(`${folder}/`));
    if (owner === undefined) return [`${path} belongs to no package`];
    return importsOf(source)
      .filter(({ from }) => !isOwn(from, path, owner))
      .map(({ from }) => `${path} may not import ${from}`);
  });
}

function isOwn(from: string, path: string, { folder, dependencies }: Package): boolean {
  if (from.startsWith('.')) return posix.join(posix.dirname(path), from).startsWith(`${folder}/`);
  if (from === 'popperd/testing') return isTestKit(path.slice(folder.length + 1));
  return from.startsWith('node:') || from === 'popperd' || dependencies.includes(packageOf(from));
}

/** What a plugin's own tests are made with lies in `testing.ts` or `testing/`. */
const isTestKit = (path: string): boolean => path === 'testing.ts' || path.startsWith('testing/');

/** `@scope/name/file` and `name/file` are of `@scope/name` and `name`; popperd has no files for plugins. */
const packageOf = (from: string): string => {
  const words = from.split('/').slice(0, from.startsWith('@') ? 2 : 1);
  return words[0] === 'popperd' ? from : words.join('/');
};

/** Every entry of a package besides its index and its test kit. */
export const needlessExports = (packages: readonly Package[]): readonly string[] =>
  packages.flatMap(({ name, exports }) =>
    exports
      .filter((entry) => entry !== '.' && entry !== './testing')
      .map((entry) => `${name} exports ${entry}`),
  );
