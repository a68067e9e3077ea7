import type { ConfigProblem } from './problem.ts';
import type { Source } from './source.ts';

/**
 * What came of reading a config file: what it holds, with problems beside which the rest can be looked at; or why that cannot
 * be told.
 */
export type Reading =
  | { readonly source: Source; readonly value: unknown; readonly problems?: readonly ConfigProblem[] }
  | { readonly problems: readonly ConfigProblem[] };

export const unreadable = (problem: ConfigProblem): Reading => ({ problems: [problem] });
