import { importProblems } from './import-problems.ts';
import { importAs } from './module-resolver.ts';
import { moduleSource } from './module-source.ts';
import type { ConfigProblem } from './problem.ts';
import type { Reading } from './reading.ts';
import type { Source } from './source.ts';

const exportHint = 'export it: export default defineConfig({ ... })';

/** Runs a TypeScript or JavaScript config (Node strips the types) and gives what it exports by default. */
export async function readModule(file: string, text: string): Promise<Reading> {
  const source = moduleSource(file, text);
  try {
    return defaultOf(await importAs(file, file), source);
  } catch (error) {
    return { problems: await importProblems(error, source) };
  }
}

function defaultOf(loaded: unknown, source: Source): Reading {
  if (typeof loaded !== 'object' || loaded === null) return { problems: [noExport(source)] };
  const value: unknown = Reflect.get(loaded, 'default');
  if (value !== undefined) return { source, value };
  const named = Object.keys(loaded).find((name) => name !== 'default');
  return { problems: [noExport(source, named)] };
}

function noExport(source: Source, named?: string): ConfigProblem {
  const what = 'it exports no configuration: there is no default export';
  if (named === undefined) return { source, what, fix: exportHint };
  return { source, what, fix: `${named} is exported by name; ${exportHint}` };
}
