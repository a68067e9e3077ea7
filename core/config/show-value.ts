import { inspect } from 'node:util';

import type { Path } from './source.ts';

const longest = 60;

/** A value as a message quotes it: short, on one line, with strings in quotes. */
export function show(value: unknown): string {
  const text = shown(value);
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

/** The value at a path inside of `root`, or undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (value instanceof Promise) return 'a promise';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return inspect(value);
}
