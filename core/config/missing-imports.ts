import { createRequire, findPackageJSON } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { Program } from 'acorn';

import { didYouMean } from '../did-you-mean.ts';
import { codeOf, messageOf } from './error-facts.ts';
import { importsIn } from './imports.ts';
import { installedPlugins, pluginPrefix } from './installed-plugins.ts';
import type { ConfigProblem } from './problem.ts';
import type { Source } from './source.ts';

/** All imports that lead nowhere at once, not only the first, which is where Node stops. */
export function missingImports(
  error: unknown,
  source: Source,
  tree: Program | undefined,
): readonly ConfigProblem[] {
  const missing = importsIn(tree).filter(({ specifier }) => isMissing(specifier, source.file));
  if (missing.length === 0) return [{ source, what: messageOf(error), fix: fixOfDependency(error) }];
  return missing.map(({ specifier, span }) => ({ source, span, ...missingImport(specifier, source.file) }));
}

/** What to say of an import in `file` that leads nowhere. */
export function missingImport(specifier: string, file: string): Pick<ConfigProblem, 'what' | 'fix'> {
  if (/^\.{0,2}\//.test(specifier)) {
    return {
      what: `there is no file ${specifier}`,
      fix: 'write the path relative to this file, extension included',
    };
  }
  const name = packageOf(specifier);
  if (!isInstalled(name, file)) {
    const meant = meantPlugin(name, file);
    const fix =
      meant === undefined ? `npm install ${name}` : `did you mean ${meant}? Otherwise: npm install ${name}`;
    return { what: `the package ${name} is not installed`, fix };
  }
  return {
    what: `the package ${name} is there, but not the file ${specifier} stands for`,
    fix: `build it, or install it again: npm install ${name}`,
  };
}

/** The plugin that is installed and is called nearly so, by its short name. */
function meantPlugin(name: string, file: string): string | undefined {
  if (!name.startsWith(pluginPrefix)) return undefined;
  const plugins = installedPlugins([file, fileURLToPath(import.meta.url)]);
  return didYouMean(
    name.slice(pluginPrefix.length),
    plugins.map((installed) => installed.slice(pluginPrefix.length)),
  );
}

const isInstalled = (name: string, file: string): boolean =>
  [pathToFileURL(file).href, import.meta.url].some((base) => {
    try {
      return findPackageJSON(name, base) !== undefined;
    } catch {
      return false;
    }
  });

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** A file that was imported wants something that is not there. */
function fixOfDependency(error: unknown): string {
  const name = /^Cannot find package '([^']+)'/.exec(messageOf(error))?.[1];
  return name === undefined
    ? 'put that file there, or mend the import of it'
    : `npm install ${packageOf(name)}`;
}

function isMissing(specifier: string, file: string): boolean {
  if (specifier.startsWith('node:')) return false;
  return [file, fileURLToPath(import.meta.url)].every((from) => {
    try {
      createRequire(from).resolve(specifier);
      return false;
    } catch (error) {
      return codeOf(error) === 'MODULE_NOT_FOUND';
    }
  });
}
