import { didYouMean } from './did-you-mean.ts';
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
  const unknown = unknownKeysIn(problem.message);
  if (unknown.length > 0) return unknown.map((key) => unknownOption([...problem.path, key], context));
  const { index, name, source } = context;
  const path = ['plugins', index, ...problem.path];
  const where = problem.path.length === 0 ? name : `${name}: ${nameOf(problem.path)}`;
  return [{ source, span: source.locate(path), what: `${where}: ${lowerFirst(problem.message)}` }];
}

/** The plugin's schema is not ours to look into; but a key that is missing beside the unknown one tells enough. */
function unknownOption(path: Path, { index, name, problems, source }: Context): ConfigProblem {
  const full = ['plugins', index, ...path];
  const parent = nameOf(path.slice(0, -1));
  const siblings = problems.filter((other) => nameOf(other.path.slice(0, -1)) === parent);
  const meant = didYouMean(String(path.at(-1)), siblings.map((other) => String(other.path.at(-1) ?? '')));
  return {
    source,
    span: source.locateKey(full) ?? source.locate(full.slice(0, -1)),
    what: `${name}: ${nameOf(path)}: there is no such option`,
    fix: meant === undefined ? `see the options of popper-plugin-${name}` : `did you mean ${meant}?`,
  };
}

/** zod puts unknown keys, in quotes, into the message at the thing that has them. */
function unknownKeysIn(message: string): readonly string[] {
  const list = /^Unrecognized keys?: (.+)$/s.exec(message)?.[1];
  return [...(list?.matchAll(/"((?:[^"\\]|\\.)*)"/g) ?? [])].map(([, key = '']) => key);
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
