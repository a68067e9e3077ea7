import type { Hooks } from './hooks.ts';

/** A hook with what was added to it, in the order in which it will run. */
export interface TappedHook {
  readonly name: string;
  readonly taps: readonly { readonly name: string; readonly before?: string | undefined }[];
}

/** Every hook, those of single commands among them, in the order in which a session meets them. */
export function inspectHooks({ command, ...hooks }: Hooks): readonly TappedHook[] {
  return [...Object.values(hooks), ...command.made.values()].map(({ name = '', taps }) => ({ name, taps }));
}

/**
 * tapable lets two kinds of misspelling pass: a `before` that names no tap puts its own first, and a hook for a command
 * that nobody has never fires. Throws a TypeError for either, before the daemon starts.
 */
export function refuseUnknownNames(hooks: Hooks, isCommand: (keyword: string) => boolean): void {
  for (const [keyword, { taps }] of hooks.command.made) {
    if (isCommand(keyword)) continue;
    const names = taps.map(({ name }) => name).join(', ');
    throw new TypeError(`hook command: there is no command ${keyword}, which is what ${names} waits for`);
  }
  for (const { name, taps } of inspectHooks(hooks)) {
    for (const { name: tap, before } of taps) {
      if (before !== undefined && !taps.some((other) => other.name === before)) {
        throw new TypeError(`hook ${name}: ${tap} is to come before ${before}, which is not there`);
      }
    }
  }
}
