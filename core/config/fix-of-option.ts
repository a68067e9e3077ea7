import { didYouMean } from '../did-you-mean.ts';
import type { Problem } from '../plugin/schema.ts';
import { written, writtenPair } from './written.ts';

/** Only the plugin knows what its options mean. */
export const seeOptions = (plugin: string): string => `see the options of popper-plugin-${plugin}`;

/** What to write for an option, as far as zod's sentences tell; the plugin's schema is not ours to look into. */
export function fixOfOption(
  plugin: string,
  { path, message }: Problem,
  { file, written: given }: { readonly file: string; readonly written: string },
): string {
  const meant = didYouMean(given.replaceAll(/^["']|["']$/g, ''), alternativesIn(message));
  if (meant !== undefined) return `did you mean ${meant}?`;
  const value = valueFor(message);
  if (value === undefined) return seeOptions(plugin);
  const key = path.at(-1);
  const text = typeof key === 'string' ? writtenPair(key, value, file) : written(value, file);
  return `write ${text}, or another that is right: ${seeOptions(plugin)}`;
}

/** `expected one of "a"|"b"` is how zod says which there are. */
function alternativesIn(message: string): readonly string[] {
  const [, list = ''] = /^Invalid option: expected one of (.+)$/s.exec(message) ?? [];
  return Array.from(list.matchAll(/"([^"]+)"/g), ([, alternative = '']) => alternative);
}

function valueFor(message: string): unknown {
  const expected = /^Invalid input: expected (\w+), received /.exec(message)?.[1];
  if (expected !== undefined) return samples.get(expected);
  const bound = /^Too (?:small|big): expected number to be (?:>=|<=)(-?\d+)$/.exec(message)?.[1];
  if (bound !== undefined) return Number(bound);
  return /^Invalid (?:option|input): expected (?:one of )?"([^"]+)"/.exec(message)?.[1];
}

const samples: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['string', 'text'],
  ['number', 1],
  ['int', 1],
  ['boolean', true],
  ['array', []],
  ['object', {}],
]);
