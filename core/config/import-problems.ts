import type { AnyNode, Program } from 'acorn';

import { codeOf, messageOf } from './error-facts.ts';
import { fixOfThrown } from './fix-of-thrown.ts';
import { missingImports } from './missing-imports.ts';
import { ownModules } from './module-resolver.ts';
import type { ConfigProblem } from './problem.ts';
import { type Source, type Span, spanAt } from './source.ts';
import { syntaxProblem } from './syntax-problem.ts';
import { isFunction, nodesIn, treeOf } from './syntax-tree.ts';
import { Unsettled } from './unsettled.ts';

/** Why a module config could not be run, with the places in it that the error speaks of. */
export async function importProblems(error: unknown, source: Source): Promise<readonly ConfigProblem[]> {
  const tree = treeOf(source.file, source.text);
  if (codeOf(error) === 'ERR_MODULE_NOT_FOUND') return missingImports(error, source, tree);
  if (error instanceof Unsettled) return [unsettled(error, source, tree)];
  if (error instanceof SyntaxError) return [await syntaxProblem(error, source, tree)];
  return [thrownProblem(error, source)];
}

function unsettled({ message }: Unsettled, source: Source, tree: Program | undefined): ConfigProblem {
  const [only, ...others] = tree === undefined ? [] : [...nodesIn(tree, isFunction)].filter(isAwait);
  const fix = 'take the await out, or see to it that what it waits for comes';
  return { source, span: others.length === 0 ? only : undefined, what: message, fix };
}

const isAwait = ({ type }: AnyNode): boolean => type === 'AwaitExpression';

/** Something that was thrown while the config ran: by a line of its own, or by what it called. */
export function thrownProblem(error: unknown, source: Source): ConfigProblem {
  const span = placeInStack(error, source);
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  const what = `it throws ${name}${messageOf(error)}`;
  if (span)
    return { source, span, what, fix: fixOfThrown(error) ?? 'change this line so that it does not throw' };
  const frame = error instanceof Error ? /at (.*)/.exec(error.stack ?? '')?.[1] : undefined;
  const where = frame === undefined ? 'throw an Error, which says where it comes from' : `mend ${frame}`;
  return { source, what, fix: fixOfThrown(error) ?? where };
}

/** The first stack frame that lies in the config. */
function placeInStack(error: unknown, source: Source): Span | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const [, url, line, column] of error.stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)\)?$/gm)) {
    if (!ownModules.isConfig(url, source.file)) continue;
    return spanAt(source.text, { line: Number(line), column: Number(column) });
  }
  return undefined;
}
