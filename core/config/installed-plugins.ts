import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';

export const pluginPrefix = 'popper-plugin-';

/** The plugins' packages that an import in one of these files would find, by their whole names. */
export function installedPlugins(files: readonly string[]): readonly string[] {
  const folders = files.flatMap((file) => createRequire(file).resolve.paths(pluginPrefix) ?? []);
  const plugins = folders.flatMap(namesIn).filter((name) => name.startsWith(pluginPrefix));
  return [...new Set(plugins)].toSorted();
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
