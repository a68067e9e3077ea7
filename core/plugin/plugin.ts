import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { Mechanism } from '../auth/mechanism.ts';
import type { Command } from '../commands/command.ts';
import type { Logger } from '../log/logger.ts';
import type { Fact } from './facts.ts';
import { type NoOptions, noOptions } from './no-options.ts';
import { type Problem, validate } from './schema.ts';
import type { SpoolLockKind, SpoolLocks } from './spool-locks.ts';
import type { PluginState } from './state.ts';
import type { Subcommand } from './subcommand.ts';
import type { PluginHooks } from './taps.ts';

/** What a plugin is given: everything it may touch, and nothing else. */
export interface Popper {
  readonly hooks: PluginHooks;
  readonly commands: { add(command: Command): void };
  readonly mechanisms: { add(mechanism: Mechanism): void };
  readonly subcommands: { add(subcommand: Subcommand): void };
  readonly facts: {
    add<Schema extends StandardSchemaV1>(definition: {
      readonly name: string;
      readonly schema: Schema;
    }): Fact<StandardSchemaV1.InferOutput<Schema>>;
  };
  /** Locks that a store makes beside mailboxes, in folders that their users may not write to. */
  readonly spoolLocks: { add(kind: SpoolLockKind): SpoolLocks };
  /** Where the daemon keeps what it must remember, and the one session lock. */
  readonly state: PluginState;
  /** The folder of the configuration file: relative paths in options are taken from here. */
  readonly baseFolder: string;
  /** Every record carries the plugin's name. */
  readonly log: Logger;
}

/** A plugin with its options bound, as the `plugins` list of a config file holds it. */
export interface Plugin {
  readonly name: string;
  /** Major version of the plugin API it was built for. The loader refuses any other. */
  readonly api: 1;
  /** What is wrong with its options; one that has problems is not applied. */
  readonly problems: readonly Problem[];
  apply(popper: Popper): void;
}

interface Definition<Schema extends StandardSchemaV1> {
  /** Lower case, digits and dashes; the package is called `popper-plugin-NAME`. */
  readonly name: string;
  /**
   * Checks the options: a schema of any library that implements Standard Schema (zod, valibot, arktype). A plugin that
   * leaves it out takes none.
   */
  readonly options: Schema;
  /**
   * Those that need no options. They are there with the plugin, as those that `apply` adds are, and before there is a
   * configuration as well.
   */
  readonly subcommands?: readonly Subcommand[];
  /**
   * Registers hooks, commands and the rest, and does nothing else. Sync, so that plugins take their places in the order
   * of the config file, and `popper check` can look at them without opening a connection.
   */
  apply(popper: Popper, options: StandardSchemaV1.InferOutput<Schema>): void;
}

/** A plugin that takes no options says nothing of them. */
type Plain = Omit<Definition<NoOptions>, 'options'> & { readonly options?: undefined };

type Input<Schema extends StandardSchemaV1> = StandardSchemaV1.InferInput<Schema>;

/** Options may be left out where every one of them has a default. */
type Options<Schema extends StandardSchemaV1> =
  Record<string, never> extends Input<Schema> ? [options?: Input<Schema>] : [options: Input<Schema>];

/** What a plugin package exports by default: give it options and get the plugin. */
export interface PluginFactory<Schema extends StandardSchemaV1 = StandardSchemaV1> {
  (...options: Options<Schema>): Plugin;
  /** What the plugin can do without options. */
  readonly subcommands: readonly Subcommand[];
}

/**
 * Makes a plugin's factory. Wrong options do not throw: they are kept with the plugin, so that one run of
 * `popper check` can show the problems of all of them. Throws a TypeError for a bad name or an async schema.
 */
export function definePlugin<Schema extends StandardSchemaV1>(
  definition: Definition<Schema>,
): PluginFactory<Schema>;
export function definePlugin(definition: Plain): PluginFactory<NoOptions>;
export function definePlugin(
  definition: Definition<StandardSchemaV1> | Plain,
): PluginFactory | PluginFactory<NoOptions> {
  return definition.options === undefined
    ? factoryOf({ ...definition, options: noOptions })
    : factoryOf(definition);
}

function factoryOf<Schema extends StandardSchemaV1>(definition: Definition<Schema>): PluginFactory<Schema> {
  const { name, options: schema, subcommands = [] } = definition;
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new TypeError(`"${name}" is no name for a plugin: use a-z, 0-9 and -`);
  // Plugins may be plain JavaScript.
  if (typeof schema['~standard']?.validate !== 'function')
    throw new TypeError(`${name}: options is to be a schema, as zod and its like make them; or leave it out`);
  const make = (...[input = {}]: Options<Schema>): Plugin => {
    const result = validate(schema, input, name);
    if ('problems' in result) return { name, api: 1, problems: result.problems, apply: refuse(name) };
    return {
      name,
      api: 1,
      problems: [],
      apply(popper) {
        for (const subcommand of subcommands) popper.subcommands.add(subcommand);
        return definition.apply(popper, result.value);
      },
    };
  };
  return Object.assign(make, { subcommands });
}

const refuse = (name: string) => (): never => {
  throw new TypeError(`${name}: its options have problems, so it cannot be applied`);
};
