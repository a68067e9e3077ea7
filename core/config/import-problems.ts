import { realpathSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { parse, type Program } from 'acorn';

import { treeOf, withoutTypes } from './module-source.ts';
import type { ConfigProblem } from './problem.ts';
import { type Source, type Span, spanAt } from './source.ts';

/** Why a module config could not be run, with the places in it that the error speaks of. */
export function importProblems(error: unknown, source: Source): readonly ConfigProblem[] {
  const tree = treeOf(source.file, source.text);
  if (codeOf(error) === 'ERR_MODULE_NOT_FOUND') return notFound(error, source, tree);
  if (error instanceof SyntaxError) return [syntaxProblem(error, source, tree)];
  return [thrownProblem(error, source)];
}

/** Something that was thrown while the config ran: by a line of its own, or by what it called. */
export function thrownProblem(error: unknown, source: Source): ConfigProblem {
  const span = placeInStack(error, source);
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  const what = `it throws ${name}${messageOf(error)}`;
  if (span) return { source, span, what };
  const frame = error instanceof Error ? /at (.*)/.exec(error.stack ?? '')?.[1] : undefined;
  return { source, what, fix: frame === undefined ? undefined : `the error comes from ${frame}` };
}

/** All imports that lead nowhere at once, not only the first, which is where Node stops. */
function notFound(error: unknown, source: Source, tree: Program | undefined): readonly ConfigProblem[] {
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
  if (!isInstalled(name, file))
    return { what: `the package ${name} is not installed`, fix: `npm install ${name}` };
  return {
    what: `the package ${name} is there, but not the file ${specifier} stands for`,
    fix: `build it, or install it again: npm install ${name}`,
  };
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
function fixOfDependency(error: unknown): string | undefined {
  const name = /^Cannot find package '([^']+)'/.exec(messageOf(error))?.[1];
  return name === undefined ? undefined : `npm install ${packageOf(name)}`;
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

interface Import {
  readonly specifier: string;
  readonly span: Span;
}

function importsIn(tree: Program | undefined): readonly Import[] {
  const imports: Import[] = [];
  for (const node of tree?.body ?? []) {
    const hasSource = node.type === 'ImportDeclaration' || node.type === 'ExportNamedDeclaration';
    if (!hasSource || !node.source || typeof node.source.value !== 'string') continue;
    imports.push({ specifier: node.source.value, span: node.source });
  }
  return imports;
}

/**
 * A file that cannot be parsed, or an import of a name that is not exported. Node hides the place of the first kind in
 * plain JavaScript from programs, so the parser is asked again.
 */
function syntaxProblem(error: SyntaxError, source: Source, tree: Program | undefined): ConfigProblem {
  const imported = /^The requested module '([^']+)' does not provide an export named '([^']+)'/.exec(
    error.message,
  );
  if (imported) return noSuchName(imported[1] ?? '', imported[2] ?? '', { source, tree });
  const what = `it cannot be parsed: ${error.message}`;
  const span = tree ? undefined : placeOfParser(source);
  if (span) return { source, span, what };
  const elsewhere = /^(\S+:\d+)$/m.exec(error.stack ?? '')?.[1];
  return { source, what: elsewhere === undefined ? what : `${elsewhere} cannot be parsed: ${error.message}` };
}

interface Context {
  readonly source: Source;
  readonly tree: Program | undefined;
}

function noSuchName(specifier: string, name: string, { source, tree }: Context): ConfigProblem {
  const span = importsIn(tree).find((found) => found.specifier === specifier)?.span;
  const what = `${specifier} does not export ${name === 'default' ? 'anything by default' : name}`;
  const fix =
    name === 'default'
      ? 'a plugin exports its factory by default: is this one?'
      : `a plugin is what its package exports by default: import ${name} from '${specifier}'`;
  return { source, span, what, fix };
}

/** The first stack frame that lies in the config. */
function placeInStack(error: unknown, source: Source): Span | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const [, url, line, column] of error.stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)\)?$/gm)) {
    if (!isSource(url, source)) continue;
    return spanAt(source.text, { line: Number(line), column: Number(column) });
  }
  return undefined;
}

/** Node puts `file:line`, the line and a row of carets above the stack; other marks where it is about many lines. */
function placeInHeader({ stack = '' }: SyntaxError, text: string): Span | undefined {
  const line = /^.*:(\d+)\n/.exec(stack)?.[1];
  if (line === undefined) return undefined;
  const carets = /^.*:\d+\n(?:.*\n)*?([ \t]*)\^+\n/.exec(stack)?.[1];
  return spanAt(text, { line: Number(line), column: (carets?.length ?? 0) + 1 });
}

function isSource(fileOrUrl: string | undefined, { file }: Source): boolean {
  if (fileOrUrl === undefined) return false;
  const path = fileOrUrl.startsWith('file:') ? fileURLToPath(fileOrUrl) : fileOrUrl;
  return path === file || path === realpathSync(file);
}

/** Node's own parser keeps the place to itself where a config is plain JavaScript. */
function placeOfParser({ file, text }: Source): Span | undefined {
  try {
    parse(file.endsWith('.ts') ? withoutTypes(text) : text, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      allowAwaitOutsideFunction: true,
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) return undefined;
    if (!('pos' in error)) return placeInHeader(error, text);
    const start = Number(error.pos);
    return { start, end: start + 1 };
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
