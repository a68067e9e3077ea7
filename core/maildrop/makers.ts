import type { Maildrop } from './maildrop.ts';

/** The plugins a maildrop is of: the store that opened it, then those that wrapped it, innermost first. */
const makers = new WeakMap<Maildrop, readonly string[]>();

/** Writes down that this plugin made the maildrop, around another one if it wraps that. Gives it back. */
export function madeBy(plugin: string, maildrop: Maildrop, wrapped?: Maildrop): Maildrop {
  // A tap that only had a look hands on what it got, and a store may hand out the same one twice.
  if (maildrop !== wrapped) {
    const inner = wrapped === undefined ? [] : (makers.get(wrapped) ?? []);
    makers.set(maildrop, [...inner, plugin]);
  }
  return maildrop;
}

/** Writes down that this plugin has found the maildrop, where no other has made it. Gives it back. */
export function foundBy(plugin: string, maildrop: Maildrop): Maildrop {
  // Plugins may be plain JavaScript: what is no maildrop is found out by whoever uses it.
  const isObject = typeof maildrop === 'object' && maildrop !== null;
  return isObject && !makers.has(maildrop) ? madeBy(plugin, maildrop) : maildrop;
}

/** The names of the plugins, or none for a maildrop that no plugin has answered with. */
export const makersOf = (maildrop: Maildrop): string => (makers.get(maildrop) ?? []).join(', ');

/** A `maildrop` tap failed. `maildrop` is what it was to wrap: whole, open, and to be closed by who opened it. */
export class NotWrapped extends Error {
  readonly maildrop: Maildrop;

  constructor(maildrop: Maildrop, cause: unknown) {
    super('a maildrop could not be wrapped', { cause });
    this.maildrop = maildrop;
  }
}
