import type { Loader } from 'cosmiconfig';

import { configNames, extensions, type Located, locateConfig, refuse, type Sought } from './locate-config.ts';
import { NoConfigError } from './problem.ts';
import { type Reader, readerOf, readers } from './readers.ts';
import { type Reading, unreadable } from './reading.ts';
import { plainSource } from './source.ts';
import { distrust, type Runner } from './trust.ts';

export interface Wanted extends Sought {
  readonly runner: Runner;
}

export interface FoundConfig extends Located {
  readonly reading: Reading;
}

/**
 * Reads the config that was asked for, or the first one that the search comes upon. A module config is run. Throws a
 * NoConfigError where there is none, or it cannot be opened.
 */
export async function findConfig({ runner, ...sought }: Wanted): Promise<FoundConfig> {
  const { file, unused } = await locateConfig(sought);
  return { file, reading: await readingOf(file, runner), unused };
}

async function readingOf(file: string, runner: Runner): Promise<Reading> {
  if (readerOf(file) === undefined) {
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
  return result && !result.isEmpty ? result.config : unreadable(empty);
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
      searchPlaces: configNames,
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
