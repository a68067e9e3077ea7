import type { z } from 'zod';

import { didYouMean } from '../did-you-mean.ts';
import { fixByExample } from './examples.ts';
import type { ConfigProblem } from './problem.ts';
import { knownKeysAt } from './schema.ts';
import { show, valueAt } from './show-value.ts';
import type { Path, Source } from './source.ts';

type Issue = z.core.$ZodIssue;

/** What the schema found wrong in `config`, each with its place in the source. */
export function schemaProblems(
  issues: readonly Issue[],
  config: unknown,
  source: Source,
): readonly ConfigProblem[] {
  const misspelt = new Set(issues.flatMap(meantKeys));
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey([...issue.path, key], knownKeysAt(issue.path), source));
    }
    // A key that is there with a slip of the pen is not missing besides.
    const missing = valueAt(config, issue.path) === undefined;
    return missing && misspelt.has(nameOf(issue.path)) ? [] : [wrongValue(issue, config, source)];
  });
}

function meantKeys(issue: Issue): readonly string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  const meant = issue.keys.map((key) => didYouMean(key, knownKeysAt(issue.path)));
  return meant.flatMap((key) => (key === undefined ? [] : [nameOf([...issue.path, key])]));
}

/** zod reports unknown keys at the thing that has them; an operator wants to see the key. */
function unknownKey(path: Path, known: readonly string[], source: Source): ConfigProblem {
  const key = String(path.at(-1));
  const meant = didYouMean(key, known);
  return {
    source,
    span: source.locateKey(path) ?? source.locate(path.slice(0, -1)),
    what: `${nameOf(path)}: there is no such key`,
    fix: fixOfKey(key, meant, known),
  };
}

function fixOfKey(key: string, meant: string | undefined, known: readonly string[]): string {
  if (meant !== undefined) return `did you mean ${meant}?`;
  return known.length > 0 ? `remove it, or use one of ${known.join(', ')}` : `remove ${key}`;
}

function wrongValue({ path, message, ...issue }: Issue, config: unknown, source: Source): ConfigProblem {
  const value = valueAt(config, path);
  const told = issue.code === 'custom' && issue.params?.['statement'] === true;
  const name = nameOf(path);
  const span = told ? (source.locateKey(path) ?? source.locate(path)) : source.locate(path);
  const fix = fixOf({ path, message, ...issue }, value, source);
  if (told) return { source, span, what: `${name} ${message}`, fix };
  if (value === undefined) return { source, span, what: `${name} is missing: expected ${message}`, fix };
  return { source, span, what: `${name}: expected ${message}, got ${show(value)}`, fix };
}

function fixOf(issue: Issue, value: unknown, { file }: Source): string {
  const { path } = issue;
  if (issue.code === 'custom' && typeof issue.params?.['fix'] === 'string') return issue.params['fix'];
  const meant =
    issue.code === 'invalid_value' ? didYouMean(String(value), issue.values.map(String)) : undefined;
  if (meant !== undefined) return `did you mean ${meant}?`;
  return fixOfNumber(path, value) ?? fixByExample(path, file);
}

/** `'600000'` is a mistake that is seen only when it is pointed out. */
const fixOfNumber = (path: Path, value: unknown): string | undefined =>
  typeof value === 'string' && /^\d+$/.test(value) && /Ms$|^port$|connections|max/.test(String(path.at(-1)))
    ? `write it without quotes: ${value}`
    : undefined;

/** A path as an operator would write it: `listen[0].port`. */
export function nameOf(path: Path): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name === '' ? 'the configuration' : name.replace(/^\./, '');
}
