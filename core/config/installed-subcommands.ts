import { fileURLToPath } from 'node:url';

import type { Subcommand } from '../plugin/subcommand.ts';
import { installedPlugins } from './installed-plugins.ts';

/**
 * The subcommands of plugins that are installed beside popper, as far as they need no options: what can be had without a
 * config. Packages that cannot be loaded are passed over.
 */
export async function* installedSubcommands(): AsyncGenerator<Subcommand> {
  for (const name of installedPlugins([fileURLToPath(import.meta.url)])) {
    const loaded: unknown = await import(name).catch(() => undefined);
    yield* subcommandsOf(loaded);
  }
}

function subcommandsOf(loaded: unknown): readonly Subcommand[] {
  const factory = memberOf(loaded, 'default');
  const subcommands = memberOf(factory, 'subcommands');
  return Array.isArray(subcommands) ? subcommands.filter(isSubcommand) : [];
}

const memberOf = (value: unknown, name: string): unknown =>
  (typeof value === 'object' || typeof value === 'function') && value !== null
    ? Reflect.get(value, name)
    : undefined;

const isSubcommand = (value: unknown): value is Subcommand =>
  ['name', 'summary', 'usage'].every((name) => typeof memberOf(value, name) === 'string') &&
  typeof memberOf(value, 'run') === 'function';
