import { didYouMean } from '../did-you-mean.ts';
import type { ApplyFault } from './apply-error.ts';
import type { Hooks } from './hooks.ts';
import type { Plugin } from './plugin.ts';

/** A hook with what was added to it, in the order in which it will run. */
export interface TappedHook {
  readonly name: string;
  readonly taps: readonly { readonly name: string; readonly before?: string | undefined }[];
}

/** Every hook, those of single commands among them, in the order in which a session meets them. */
export function inspectHooks({ command, answer, ...hooks }: Hooks): readonly TappedHook[] {
  return [...Object.values(hooks), ...command.made.values(), ...answer.made.values()].map(
    ({ name = '', taps }) => ({ name, taps }),
  );
}

/** What to know in order to tell a slip from a name that is there. */
interface Names {
  readonly keywords: readonly string[];
  readonly plugins: readonly Plugin[];
  /** False where a plugin failed: what it would have added is missing, which is not to be blamed on others. */
  readonly areComplete: boolean;
}

/**
 * tapable lets two kinds of misspelling pass: a `before` that names no tap puts its own first, and a hook for a command
 * that nobody has never fires. Gives a fault for each.
 */
export function unknownNames(hooks: Hooks, names: Names): readonly ApplyFault[] {
  return [...unknownCommands(hooks, names), ...unknownTaps(hooks, names)];
}

function unknownCommands(
  { command, answer }: Hooks,
  { keywords, plugins, areComplete }: Names,
): readonly ApplyFault[] {
  const made = [...named('command', command.made), ...named('answer', answer.made)];
  return made.flatMap(({ hook, keyword, taps }) => {
    if (keywords.includes(keyword)) return [];
    const tapNames = taps.map(({ name }) => name).join(', ');
    const meant = didYouMean(keyword, keywords);
    if (meant === undefined && !areComplete) return [];
    return {
      plugin: plugins.find(({ name }) => name === taps[0]?.name),
      what: `hook ${hook}: there is no command ${keyword}, which is what ${tapNames} waits for`,
      fix: meant === undefined ? `add the plugin that brings ${keyword}` : `did you mean ${meant}?`,
    };
  });
}

interface Tapped {
  readonly taps: readonly { readonly name: string }[];
}

const named = (hook: string, made: ReadonlyMap<string, Tapped>) =>
  Array.from(made, ([keyword, { taps }]) => ({ hook, keyword, taps }));

function unknownTaps(hooks: Hooks, { plugins, areComplete }: Names): readonly ApplyFault[] {
  return inspectHooks(hooks).flatMap(({ name: hook, taps }) =>
    taps.flatMap(({ name, before }) => {
      const others = taps.map((tap) => tap.name).filter((other) => other !== name);
      if (before === undefined || taps.some((tap) => tap.name === before)) return [];
      const meant = didYouMean(before, others);
      if (meant === undefined && !areComplete) return [];
      return {
        plugin: plugins.find((plugin) => plugin.name === name),
        what: `hook ${hook}: ${name} is to come before ${before}, which is not there`,
        fix: meant === undefined ? `add the plugin ${before}, or leave before out` : `did you mean ${meant}?`,
      };
    }),
  );
}
