import type { Source, Span } from './source.ts';

/** One thing that is wrong with a configuration, for the operator who has to put it right. */
export interface ConfigProblem {
  readonly source: Source;
  /** Where in the file; undefined where it is the file as a whole. */
  readonly span?: Span | undefined;
  /** Which key, and what is wrong with it: one line. */
  readonly what: string;
  /** What to do about it: what to write, where that can be told. */
  readonly fix: string;
}

/**
 * A config that was found and has problems: all of those that one look could find, as they stand in the file, which the
 * operator goes through once from top to bottom.
 */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ source, what }) => `${source.file}: ${what}`).join('; '));
    this.name = 'ConfigError';
    this.problems = problems.toSorted((one, other) => startOf(one) - startOf(other));
  }
}

const startOf = ({ span }: ConfigProblem): number => span?.start ?? -1;

/** There is no config to look at: none was found, or it cannot be read. The message says what to do. */
export class NoConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoConfigError';
  }
}
