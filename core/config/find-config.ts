import { lstat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';

import type { Loader } from 'cosmiconfig';

import { codeOf, messageOf } from './error-facts.ts';
import { NoConfigError } from './problem.ts';
import { extensions, type Reader, readers } from './readers.ts';
import { type Reading, unreadable } from './reading.ts';
import { plainSource } from './source.ts';
import { distrust, type Runner } from './trust.ts';

const names = extensions.map((extension) => `popper.config${extension}`);

/** Where configs are looked for after the working directory. */
export const systemFolder = '/etc/popper';

export interface Wanted {
  /** Exactly this file, as the operator named it; undefined to search. */
  readonly file?: string | undefined;
  /** Relative names are taken from here, and here the search begins. */
  readonly workingFolder: string;
  /** Folders to search after that. */
  readonly otherFolders: readonly string[];
  readonly runner: Runner;
}

export interface FoundConfig {
  readonly file: string;
  readonly reading: Reading;
  /** Other config files in the same folder, which are not used. */
  readonly unused: readonly string[];
}

/**
 * Reads the config that was asked for, or the first one that the search comes upon. A module config is run. Throws a
 * NoConfigError where there is none, or it cannot be opened.
 */
export async function findConfig({ file, ...wanted }: Wanted): Promise<FoundConfig> {
  const { workingFolder, otherFolders, runner } = wanted;
  if (file !== undefined) return load(resolve(workingFolder, file), runner);
  for (const folder of [workingFolder, ...otherFolders]) {
    const [first, ...unused] = await filesIn(folder);
    if (first !== undefined) return { ...(await load(first, runner)), unused };
  }
  throw new NoConfigError(noneFound(workingFolder, otherFolders));
}

async function load(file: string, runner: Runner): Promise<FoundConfig> {
  if (!extensions.includes(extname(file))) {
    throw new NoConfigError(`${file}: a config ends in ${extensions.join(', ')}`);
  }
  const { cosmiconfig } = await importCosmiconfig();
  const result = await explorer(cosmiconfig, runner)
    .load(file)
    .catch((error: unknown) => refuse(file, error));
  const empty = {
    source: plainSource(file, ''),
    what: 'it is empty',
    fix: 'write listen, stateDir and plugins',
  };
  const reading: Reading = result && !result.isEmpty ? result.config : unreadable(empty);
  return { file, reading, unused: [] };
}

/**
 * What cosmiconfig is built on asks for the user's home as it is loaded, and throws where there is neither HOME nor a line in
 * the passwd file, as for a service's uid. popper searches no home, so any will do.
 */
async function importCosmiconfig() {
  const hasHome = process.env['HOME'] !== undefined;
  if (!hasHome) process.env['HOME'] = '/';
  try {
    return await import('cosmiconfig');
  } finally {
    if (!hasHome) delete process.env['HOME'];
  }
}

/**
 * cosmiconfig looks into `package.json` and `.config/config.*` of the current directory while an explorer is made, and
 * runs what it finds there. So it is made, in one go, while this folder of popper's own is the current one.
 */
function explorer(cosmiconfig: (typeof import('cosmiconfig'))['cosmiconfig'], runner: Runner) {
  const folder = currentFolder();
  process.chdir(import.meta.dirname);
  try {
    return cosmiconfig('popper', {
      searchPlaces: names,
      searchStrategy: 'none',
      loaders: loadersFor(runner),
      cache: false,
      ignoreEmptySearchPlaces: false,
    });
  } finally {
    if (folder !== undefined) process.chdir(folder);
  }
}

/** Undefined where somebody has removed it. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** Loaders that trust nobody and never throw: cosmiconfig reads meaning into some errors, and into a key `$import`. */
function loadersFor(runner: Runner): Record<string, Loader> {
  const carefully = (read: Reader) => async (file: string, text: string) => {
    const problems = await distrust(file, runner);
    return problems.length > 0 ? { problems } : read(file, text);
  };
  return Object.fromEntries(Object.entries(readers).map(([extension, read]) => [extension, carefully(read)]));
}

/** The config files of a folder in the order of their rank. One that is there and cannot be read counts, too. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const files = names.map((name) => join(folder, name));
  const there = await Promise.all(files.map(isThere));
  return files.filter((_, index) => there[index]);
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    return refuse(file, error);
  }
}

function refuse(file: string, error: unknown): never {
  const code = codeOf(error);
  if (code === 'ENOENT') throw new NoConfigError(`${file}: there is no such file`);
  if (code === 'EISDIR') throw new NoConfigError(`${file}: this is a folder; -c names a file`);
  if (code === 'EACCES') {
    throw new NoConfigError(`${file}: no permission to read it, as uid ${process.geteuid?.() ?? '?'}`);
  }
  throw new NoConfigError(`${file}: ${messageOf(error)}`);
}

const noneFound = (workingFolder: string, otherFolders: readonly string[]): string =>
  [
    `no config found: there is no popper.config.{${extensions.map((extension) => extension.slice(1)).join(',')}} in`,
    ...[workingFolder, ...otherFolders].map((folder) => `  ${folder}`),
    'Write one, or name one that lies elsewhere: -c FILE',
  ].join('\n');
