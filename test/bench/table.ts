import type { Result } from './rounds.ts';

/**
 * A Markdown table: a row for each figure, the median of each contender's rounds, and how many times better the first
 * contender is than each other one. That is the median of the quotients of the rounds, since what disturbs a round
 * disturbs both.
 */
export function tableOf(results: readonly Result[], contenders: readonly string[]): string {
  const [own = '', ...peers] = contenders;
  const head = ['work', 'unit', ...contenders, ...peers.map((peer) => `${own} is better than ${peer} by`)];
  const rows = rowsOf(results).map(({ title, unit }) => {
    const row = results.filter((result) => result.title === title && result.unit === unit);
    const medians = contenders.map((contender) =>
      shown(median(of(row, contender).map(({ value }) => value))),
    );
    const quotients = peers.map((peer) => `x ${shown(median(quotientsOf(row, own, peer)))}`);
    return [title, unit, ...medians, ...quotients];
  });
  const rule = head.map((_, column) => (column < 2 ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Titles and units in the order of their first result. */
const rowsOf = (results: readonly Result[]): Result[] =>
  [
    ...new Map(results.toReversed().map((result) => [`${result.title} ${result.unit}`, result])).values(),
  ].toReversed();

const of = (row: readonly Result[], contender: string): Result[] =>
  row.filter((result) => result.contender === contender);

/** Above 1 where `own` is the better one, whether more is better or less. */
function quotientsOf(row: readonly Result[], own: string, peer: string): number[] {
  return of(row, own).flatMap(({ round, value, better }) => {
    const other = of(row, peer).find((result) => result.round === round);
    if (other === undefined) return [];
    return better === 'more' ? [value / other.value] : [other.value / value];
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return around.reduce((sum, value) => sum + value, 0) / around.length;
}

/** Three digits that mean something; more would be noise. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
