/** One import of a source file. */
export interface Import {
  /** What stands between the quotes. */
  readonly from: string;
  /** Nothing of it is there when the program runs. */
  readonly typeOnly: boolean;
  /** By `import()`, when the program comes to it. */
  readonly isLate: boolean;
}

/**
 * The import lines of a TypeScript source as oxfmt leaves it: `import`, `export ... from`, and `import()`. With
 * verbatimModuleSyntax only `import type` and `export type` are gone at run time; a `type` inside the braces is not enough.
 */
export function importsOf(source: string): readonly Import[] {
  const code = source.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  for (const [, typed, from = ''] of code.matchAll(statement))
    found.push({ from, typeOnly: typed !== undefined, isLate: false });
  for (const [, from = ''] of code.matchAll(sideEffect)) found.push({ from, typeOnly: false, isLate: false });
  for (const [, from = ''] of code.matchAll(dynamic)) found.push({ from, typeOnly: false, isLate: true });
  return found;
}

const statement = /^(?:import|export)\s+(type\s+(?!from\b))?[\w*{][^;'"`]*?\bfrom\s+['"]([^'"]+)['"]/gm;
const sideEffect = /^import\s+['"]([^'"]+)['"]/gm;
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g;
