import type { Flags } from './flags.ts';
import { thrownProblem } from './import-problems.ts';
import { type Reading, unreadable } from './reading.ts';
import type { Source } from './source.ts';

/** Gives the configuration where the config exports a function of the command line instead. */
export function callConfig(exported: unknown, flags: Flags, source: Source): Reading {
  if (typeof exported !== 'function') return awaited(exported, source);
  try {
    const config: unknown = exported({ flags });
    if (config !== undefined) return awaited(config, source);
    return unreadable({
      source,
      span: source.locate([]),
      what: 'its function returns nothing',
      fix: 'write return before the object, or () => ({ ... }) with parentheses around it',
    });
  } catch (error) {
    return unreadable(thrownProblem(error, source));
  }
}

function awaited(config: unknown, source: Source): Reading {
  if (!(config instanceof Promise)) return { source, value: config };
  // Nobody will look at it any more, so nobody would hear of its failure either.
  config.catch(() => {});
  return unreadable({
    source,
    span: source.locate([]),
    what: 'it makes a promise, and a configuration is wanted',
    fix: 'await at the top of the file, outside of the function, and make the function a plain one',
  });
}
