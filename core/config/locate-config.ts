import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { codeOf, messageOf } from './error-facts.ts';
import { NoConfigError } from './problem.ts';

/** What a config's name may end in, in the order of rank. */
export const extensions = ['.ts', '.js', '.mjs', '.json', '.yaml', '.yml'] as const;

export const configNames = extensions.map((extension) => `popper.config${extension}`);

/** Where configs are looked for after the working directory. */
export const systemFolder = '/etc/popper';

export interface Sought {
  /** Exactly this file, as the operator named it; undefined to search. */
  readonly file?: string | undefined;
  /** Relative names are taken from here, and here the search begins. */
  readonly workingFolder: string;
  /** Folders to search after that. */
  readonly otherFolders: readonly string[];
}

export interface Located {
  /** Absolute. One that was named need not be there. */
  readonly file: string;
  /** Other config files in the same folder, which the search passed over. */
  readonly unused: readonly string[];
}

/** The config that was named, or the first one that the search comes upon: nothing of it is read. Throws a NoConfigError where there is none. */
export async function locateConfig({ file, workingFolder, otherFolders }: Sought): Promise<Located> {
  if (file !== undefined) return { file: resolve(workingFolder, file), unused: [] };
  for (const folder of [workingFolder, ...otherFolders]) {
    const [first, ...unused] = await filesIn(folder);
    if (first !== undefined) return { file: first, unused };
  }
  throw new NoConfigError(noneFound(workingFolder, otherFolders));
}

/** The config files of a folder in the order of their rank. One that is there and cannot be read counts, too. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const files = configNames.map((name) => join(folder, name));
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

/** Throws why this file cannot be read, for the operator. */
export function refuse(file: string, error: unknown): never {
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
