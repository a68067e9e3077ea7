import { fileURLToPath } from 'node:url';

import type { Plugin } from './plugin.ts';

/** One thing that keeps plugins from being applied. `plugin` is the one that has it, where that is known. */
export interface ApplyFault {
  readonly plugin: Plugin | undefined;
  readonly what: string;
  /** What to do about it. */
  readonly fix: string;
}

/** The plugins cannot go together as they are: all of the reasons that one look could find. */
export class ApplyError extends TypeError {
  readonly faults: readonly ApplyFault[];

  constructor(faults: readonly ApplyFault[]) {
    super(faults.map(({ what }) => what).join('; '));
    this.name = 'ApplyError';
    this.faults = faults;
  }
}

/** A plugin took what it was handed for something else. */
export class Misuse extends TypeError {
  readonly fix: string;

  constructor(what: string, fix: string) {
    super(what);
    this.name = 'Misuse';
    this.fix = fix;
  }
}

/** What a plugin's `apply` threw, for the operator, who may be its author. */
export function faultIn(plugin: Plugin, error: unknown): ApplyFault {
  const { name } = plugin;
  const message = error instanceof Error ? error.message : String(error);
  const what = message.startsWith(`${name}:`) ? message : `${name}: ${message}`;
  return { plugin, what, fix: error instanceof Misuse ? error.fix : fixOfThrown(name, error) };
}

function fixOfThrown(name: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const [, url, place] = /(file:\/\/[^\s)]+?)(:\d+:\d+)\)?$/m.exec(stack) ?? [];
  const where = url === undefined ? 'its apply()' : `${fileURLToPath(url)}${place}`;
  return `leave ${name} out, or mend ${where}, which throws this`;
}
