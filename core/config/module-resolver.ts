import { readFileSync } from 'node:fs';
import module from 'node:module';
import { dirname, resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { type Import, OwnModules } from './own-modules.ts';
import { isModule } from './syntax-tree.ts';
import { settled } from './unsettled.ts';

const scheme = 'popper-import:';
let isInstalled = false;

/** Those of this process's config: one, but in tests. */
export const ownModules = new OwnModules();

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
 * node_modules. What is installed beside the config goes first. And keeps the config's own modules as they were read.
 */
function installResolver(file: string): void {
  if (!isInstalled) module.registerHooks({ resolve, load });
  isInstalled = true;
  ownModules.begin(file);
}

const resolve: module.ResolveHookSync = (written, context, nextResolve) => {
  const { specifier, parentURL } = unwrap(written, context.parentURL);
  if (!isBare(specifier)) {
    const isRequired = context.conditions.includes('require');
    const wanted = { parent: parentURL, specifier, isRequired };
    return resolveOwn(wanted, () => asWritten(nextResolve(specifier, { ...context, parentURL })));
  }
  try {
    return asWritten(nextResolve(specifier, { ...context, parentURL }));
  } catch (error) {
    if (!ownModules.isBeside(parentURL)) throw error;
    try {
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    } catch {
      // The first one names the file that imports, which is what the operator can change.
      throw error;
    }
  }
};

/** As it was the first time. */
function resolveOwn(wanted: Import, resolveNow: () => module.ResolveFnOutput): module.ResolveFnOutput {
  const known = ownModules.resolved(wanted);
  if (known !== undefined) return { ...known, shortCircuit: true };
  try {
    const resolved = resolveNow();
    ownModules.keepResolved(wanted, resolved);
    return resolved;
  } catch (error) {
    ownModules.keepMissing(wanted, error);
    throw error;
  }
}

const load: module.LoadHookSync = (url, context, nextLoad) => {
  const known = ownModules.loaded(url);
  if (known !== undefined) return { ...known, shortCircuit: true };
  const loaded = nextLoad(url, context);
  ownModules.keepLoaded(url, loaded);
  return loaded;
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
  if (kind === undefined || !ownModules.isBeside(url)) return resolved;
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
