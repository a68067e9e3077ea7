import type { Result } from './rounds.ts';

/** A Markdown table: a row for each figure, with the median of each contender's rounds. */
export function tableOf(results: readonly Result[], contenders: readonly string[]): string {
  const rows = rowsOf(results).map(({ title, unit }) => {
    const row = resultsOf(results, title, unit);
    return [title, unit, ...contenders.map((contender) => shown(median(valuesOf(row, contender))))];
  });
  return markdown(['work', 'unit', ...contenders], rows);
}

/** The first two columns are text, the others figures. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column < 2 ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export const resultsOf = (results: readonly Result[], title: string, unit: string): Result[] =>
  results.filter((result) => result.title === title && result.unit === unit);

/**
 * By how many times one contender's figure is another's: the median of the quotients of the rounds, since what disturbs
 * a round disturbs both. NaN where they have no round in common.
 */
export function quotient(row: readonly Result[], contender: string, other: string): number {
  const quotients = row
    .filter((result) => result.contender === contender)
    .flatMap(({ round, value }) => {
      const divisor = row.find((result) => result.contender === other && result.round === round);
      return divisor === undefined ? [] : [value / divisor.value];
    });
  return median(quotients);
}

export const valuesOf = (row: readonly Result[], contender: string): number[] =>
  row.filter((result) => result.contender === contender).map(({ value }) => value);

/** Titles and units in the order of their first result. */
const rowsOf = (results: readonly Result[]): Result[] =>
  [
    ...new Map(results.toReversed().map((result) => [`${result.title} ${result.unit}`, result])).values(),
  ].toReversed();

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return around.reduce((sum, value) => sum + value, 0) / around.length;
}

/** Three digits that mean something; more would be noise. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
