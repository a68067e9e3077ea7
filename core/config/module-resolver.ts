import { readFileSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { dirname, resolve as resolvePath, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { isModule } from './syntax-tree.ts';
import { settled } from './unsettled.ts';

const scheme = 'popper-import:';
/** Folders that configs were loaded from: one, but in tests. */
const folders = new Set<string>();

/**
 * Imports a package or a file as if the import stood in `file`: a relative path is taken from its folder. A package that is
 * not found from there is taken from where popper itself is installed. Throws what the import throws, or Unsettled.
 */
export async function importAs(file: string, specifier: string): Promise<unknown> {
  installResolver(file);
  const isPath = /^\.{0,2}\//.test(specifier);
  const wanted = isPath ? pathToFileURL(resolvePath(dirname(file), specifier)).href : specifier;
  return settled(import(`${scheme}${encodeURIComponent(pathToFileURL(file).href)},${wanted}`));
}

/**
 * Lets the modules beside a config import packages from popper's own installation: above /etc/popper there is no
 * node_modules. What is installed beside the config goes first.
 */
function installResolver(file: string): void {
  if (folders.size === 0) module.registerHooks({ resolve });
  // Node calls modules by the paths that links lead to.
  for (const path of [file, realpathSync(file)]) folders.add(dirname(path) + sep);
}

const resolve: module.ResolveHookSync = (written, context, nextResolve) => {
  const { specifier, parentURL } = unwrap(written, context.parentURL);
  try {
    return asWritten(nextResolve(specifier, { ...context, parentURL }));
  } catch (error) {
    if (!isBare(specifier) || !isOfConfig(parentURL)) throw error;
    try {
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    } catch {
      // The first one names the file that imports, which is what the operator can change.
      throw error;
    }
  }
};

/**
 * A file of the config's that has imports or exports is a module, whatever a package.json says: `npm init` writes one by which
 * Node would refuse it, and without one Node would warn.
 */
function asWritten(resolved: module.ResolveFnOutput): module.ResolveFnOutput {
  const { url, format } = resolved;
  // To parse what Node knows anyway takes long, where popper itself lies below the config.
  if (format?.startsWith('module') === true) return resolved;
  const kind = /\.(ts|js)$/.exec(url)?.[1];
  if (kind === undefined || !isOfConfig(url)) return resolved;
  const file = fileURLToPath(url);
  if (!isModule(file, readFileSync(file, 'utf8'))) return resolved;
  return { ...resolved, format: kind === 'ts' ? 'module-typescript' : 'module' };
}

function unwrap(written: string, parentURL: string | undefined) {
  if (!written.startsWith(scheme)) return { specifier: written, parentURL };
  const comma = written.indexOf(',');
  const parent = decodeURIComponent(written.slice(scheme.length, comma));
  return { specifier: written.slice(comma + 1), parentURL: parent };
}

const isBare = (specifier: string): boolean => /^(?:@[\w.-]+\/)?[\w-][\w.-]*(?:\/|$)/.test(specifier);

function isOfConfig(parentURL: string | undefined): boolean {
  if (!parentURL?.startsWith('file:')) return false;
  const path = fileURLToPath(parentURL);
  return !path.includes(`${sep}node_modules${sep}`) && [...folders].some((folder) => path.startsWith(folder));
}
