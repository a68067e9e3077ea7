import { didYouMean } from '../did-you-mean.ts';
import { fixOfOption, seeOptions } from './fix-of-option.ts';
import type { PlacedPlugin } from './plugin-entries.ts';
import type { ConfigProblem } from './problem.ts';
import { nameOf } from './schema-problems.ts';
import type { Path, Source } from './source.ts';

type Problem = PlacedPlugin['plugin']['problems'][number];

/** What each plugin found wrong with its own options, with its place in the source. */
export function optionProblems(plugins: readonly PlacedPlugin[], source: Source): readonly ConfigProblem[] {
  return plugins.flatMap(({ index, plugin: { name, problems } }) =>
    problems.flatMap((problem) => placed(problem, { index, name, problems, source })),
  );
}

interface Context {
  readonly index: number;
  readonly name: string;
  readonly problems: readonly Problem[];
  readonly source: Source;
}

function placed(problem: Problem, context: Context): readonly ConfigProblem[] {
  const { index, name, problems, source } = context;
  const unknown = unknownKeysIn(problem);
  if (unknown.length > 0) return unknown.map((path) => unknownOption(path, context));
  const misspelt = problems.flatMap(unknownKeysIn).some((path) => meantBy(path, problems) === problem);
  if (misspelt) return [];
  const span = source.locate(['plugins', index, ...problem.path]);
  const written = span === undefined ? '' : source.text.slice(span.start, span.end);
  const fix = fixOfOption(name, problem, { file: source.file, written });
  return [{ source, span, what: told(name, problem), fix }];
}

function unknownOption(path: Path, { index, name, problems, source }: Context): ConfigProblem {
  const full = ['plugins', index, ...path];
  const meant = meantBy(path, problems);
  return {
    source,
    span: source.locateKey(full) ?? source.locate(full.slice(0, -1)),
    what: `${name}: ${nameOf(path)}: there is no such option`,
    fix: meant ? `did you mean ${nameOf(meant.path)}?` : seeOptions(name),
  };
}

/** The plugin's schema is not ours to look into; but an option missing beside the unknown one tells enough. */
function meantBy(path: Path, problems: readonly Problem[]): Problem | undefined {
  const parent = nameOf(path.slice(0, -1));
  const missing = problems.filter((other) => nameOf(other.path.slice(0, -1)) === parent && isMissing(other));
  const meant = didYouMean(String(path.at(-1)), missing.map(lastOf));
  return meant === undefined ? undefined : missing.find((other) => lastOf(other) === meant);
}

const isMissing = ({ path, message }: Problem): boolean =>
  path.length > 0 && message.endsWith('received undefined');

const lastOf = ({ path }: Problem): string => String(path.at(-1));

/** Paths of unknown keys: zod puts them, in quotes, into the message at the thing that has them. */
function unknownKeysIn({ path, message }: Problem): readonly Path[] {
  const list = /^Unrecognized keys?: (.+)$/s.exec(message)?.[1];
  return [...(list?.matchAll(/"((?:[^"\\]|\\.)*)"/g) ?? [])].map(([, key = '']) => [...path, key]);
}

/** zod's commonest sentences in popper's words; what other libraries say stays as it is. */
function told(plugin: string, { path, message }: Problem): string {
  const where = path.length === 0 ? plugin : `${plugin}: ${nameOf(path)}`;
  const [, expected, received] = /^Invalid input: expected (.+), received (\S+)$/s.exec(message) ?? [];
  if (expected === undefined)
    return `${where}: ${alternatives(message) ?? bound(message) ?? withSmallLetter(message)}`;
  if (received === 'undefined') return `${where} is missing: expected ${expected}`;
  return `${where}: expected ${expected}, got ${received}`;
}

function alternatives(message: string): string | undefined {
  const [, list] = /^Invalid option: expected one of (.+)$/s.exec(message) ?? [];
  return list && `expected ${list.replaceAll('|', ', ').replace(/, ([^,]+)$/, ' or $1')}`;
}

function bound(message: string): string | undefined {
  const [, sign, value] = /^Too (?:small|big): expected number to be (>=|<=)(-?\d+)$/.exec(message) ?? [];
  if (sign === undefined) return undefined;
  return sign === '>=' ? `expected ${value} or more` : `expected ${value} at most`;
}

const withSmallLetter = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
