import type { Result } from './rounds.ts';
import { markdown, median, quotient, resultsOf, shown, valuesOf } from './table.ts';

/** What popper has set itself, as a proportion to others in the same run: machines differ, proportions hardly do. */
interface Must {
  readonly title: RegExp;
  readonly unit: string;
  /** Of popper's contenders the one that it is about. */
  readonly contender?: string;
  /** The one to compare with; without it the best of the peers. */
  readonly other?: string;
  /** The proportion to be reached or beaten. */
  readonly quotient: number;
}

const session = 'CPU ms a session';
const dovecot = 'Dovecot, high-performance mode';
/** Dovecot has a process for each session and uses all processors, so it is compared with what popper is by default on this machine. */
const twoFronts = { contender: 'popper, 2 fronts', other: dovecot } as const;

/** `own / peer` is what the two took when the aim was set, the second on the best of the peers. */
const musts: readonly Must[] = [
  { title: /^login, STAT, QUIT$/, unit: session, quotient: 0.5 / 0.82 },
  { title: /, first time$/, unit: session, quotient: 4 / 5.3 },
  { title: /^all mail, again$/, unit: session, quotient: 2.7 / 5.4 },
  { title: /16 RETR/, unit: session, quotient: 2.1 / 4.25 },
  { title: / MB, one client$/, unit: 'CPU s/GB', quotient: 1.2 / 1.76 },
  { title: /^UIDL$/, unit: session, quotient: 0.5 / 1.01 },
  { title: /^TOP/, unit: session, quotient: 2 / 2.83 },
  { title: /^0-2 new/, unit: session, quotient: 1 / 2.19 },
  { title: /^RETR and DELE/, unit: session, quotient: 5 / 7.2 },
  { title: /^login, STAT, QUIT$/, unit: 'sessions/s', ...twoFronts, quotient: 2 },
  { title: /^all mail, first time$/, unit: 'MB/s', ...twoFronts, quotient: 3 },
  { title: /^all mail, again$/, unit: 'MB/s', ...twoFronts, quotient: 2.5 },
  { title: /16 RETR/, unit: 'MB/s', ...twoFronts, quotient: 3 },
  { title: / MB, one client$/, unit: 'MB/s', other: dovecot, quotient: 3 },
  { title: / MB, one client$/, unit: 'MB/s', other: 'popa3d', quotient: 1.5 },
  { title: /^UIDL$/, unit: 'sessions/s', ...twoFronts, quotient: 2 },
  { title: /^TOP/, unit: 'sessions/s', ...twoFronts, quotient: 2 },
  { title: /^0-2 new/, unit: 'sessions/s', ...twoFronts, quotient: 2 },
  { title: /^RETR and DELE/, unit: 'sessions/s', ...twoFronts, quotient: 2 },
  { title: / messages, first time$/, unit: 'ms', other: dovecot, quotient: 1 / 8 },
  { title: / messages, again$/, unit: 'ms', other: dovecot, quotient: 1 / 50 },
  { title: / messages, after a delivery$/, unit: 'ms', other: dovecot, quotient: 1 / 20 },
  { title: /idle sessions$/, unit: 'KB a session', quotient: 60 / 244 },
  {
    title: /^login, STAT, QUIT$/,
    unit: session,
    contender: 'popper, 2 fronts',
    other: 'popper',
    quotient: 1.25,
  },
  {
    title: /^login, STAT, QUIT$/,
    unit: session,
    contender: 'popper, isolation user',
    other: 'popa3d',
    quotient: 2 / 3.9,
  },
];

/**
 * A Markdown table of what is to be reached and what is, without what this run has not measured. `peers` are those to be
 * beaten.
 */
export function mustsOf(results: readonly Result[], peers: readonly string[]): string {
  const rows = musts.flatMap((must) => rowOf(must, results, peers));
  return markdown(['work', 'unit', 'compared', 'is', 'must be', 'reached'], rows);
}

function rowOf(must: Must, results: readonly Result[], peers: readonly string[]): string[][] {
  const { contender = 'popper', unit } = must;
  const some = results.find((result) => must.title.test(result.title) && result.unit === unit);
  if (some === undefined) return [];
  const row = resultsOf(results, some.title, unit);
  const others = must.other === undefined ? peers : [must.other];
  const other = bestOf(row, others);
  if (other === undefined || valuesOf(row, contender).length === 0) return [];
  const is = quotient(row, contender, other);
  const isMore = some.better === 'more';
  const isReached = isMore ? is >= must.quotient : is <= must.quotient;
  const bound = `${isMore ? 'at least' : 'at most'} ${shown(must.quotient)}`;
  return [[some.title, unit, `${contender} / ${other}`, shown(is), bound, isReached ? 'yes' : 'no']];
}

/** Of those that were measured. */
function bestOf(row: readonly Result[], contenders: readonly string[]): string | undefined {
  const sign = row[0]?.better === 'more' ? -1 : 1;
  return contenders
    .filter((contender) => valuesOf(row, contender).length > 0)
    .toSorted((a, b) => sign * (median(valuesOf(row, a)) - median(valuesOf(row, b))))[0];
}
