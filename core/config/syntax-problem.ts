import type { Program } from 'acorn';

import { didYouMean } from '../did-you-mean.ts';
import { fixOfSyntax } from './fix-of-syntax.ts';
import { importsIn } from './imports.ts';
import { importAs } from './module-resolver.ts';
import type { ConfigProblem } from './problem.ts';
import { type Source, type Span, spanAt } from './source.ts';
import { parseModule } from './syntax-tree.ts';

/**
 * A file that cannot be parsed, or an import of a name that is not exported. Node hides the place of the first kind in
 * plain JavaScript from programs, so the parser is asked again.
 */
export async function syntaxProblem(
  error: SyntaxError,
  source: Source,
  tree: Program | undefined,
): Promise<ConfigProblem> {
  const imported = /^The requested module '([^']+)' does not provide an export named '([^']+)'/.exec(
    error.message,
  );
  if (imported) return noSuchName(imported[1] ?? '', imported[2] ?? '', { source, tree });
  const what = `it cannot be parsed: ${error.message}`;
  const span = tree ? undefined : placeOfParser(source);
  if (span) return { source, span, what, fix: fixOfSyntax(error.message, source, span) };
  const elsewhere = /^(\S+:\d+)$/m.exec(error.stack ?? '')?.[1];
  if (elsewhere === undefined)
    return { source, what, fix: 'look at what it imports: node FILE says where it is' };
  return { source, what: `${elsewhere} cannot be parsed: ${error.message}`, fix: `mend ${elsewhere}` };
}

interface Context {
  readonly source: Source;
  readonly tree: Program | undefined;
}

async function noSuchName(
  specifier: string,
  name: string,
  { source, tree }: Context,
): Promise<ConfigProblem> {
  const span = importsIn(tree).find((found) => found.specifier === specifier)?.span;
  const what = `${specifier} does not export ${name === 'default' ? 'anything by default' : name}`;
  return { source, span, what, fix: fixOfName(specifier, name, await namesIn(specifier, source)) };
}

/** What the module does export; nothing where it cannot be loaded. */
async function namesIn(specifier: string, { file }: Source): Promise<readonly string[]> {
  const loaded = await importAs(file, specifier).catch(() => undefined);
  return typeof loaded === 'object' && loaded !== null ? Object.keys(loaded) : [];
}

function fixOfName(specifier: string, name: string, names: readonly string[]): string {
  if (name === 'default')
    return `import a plugin, or by name what there is: ${names.join(', ') || 'nothing'}`;
  const meant = didYouMean(name, names);
  if (meant !== undefined) return `did you mean ${meant}?`;
  // Types are not there when it runs.
  if (/^[A-Z]/.test(name)) return `if it is a type: import { type ${name} } from '${specifier}'`;
  if (names.includes('default')) {
    return `a plugin is what its package exports by default: import ${name} from '${specifier}'`;
  }
  return `it exports ${names.join(', ') || 'nothing'}`;
}

/** Node's own parser keeps the place to itself where a config is plain JavaScript. */
function placeOfParser({ file, text }: Source): Span | undefined {
  try {
    parseModule(file, text);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) return undefined;
    if (!('pos' in error)) return placeInHeader(error, text);
    const start = Number(error.pos);
    return { start, end: start + 1 };
  }
}

/** Node puts `file:line`, the line and a row of carets above the stack; other marks where it is about many lines. */
function placeInHeader({ stack = '' }: SyntaxError, text: string): Span | undefined {
  const line = /^.*:(\d+)\n/.exec(stack)?.[1];
  if (line === undefined) return undefined;
  const carets = /^.*:\d+\n(?:.*\n)*?([ \t]*)\^+\n/.exec(stack)?.[1];
  return spanAt(text, { line: Number(line), column: (carets?.length ?? 0) + 1 });
}
