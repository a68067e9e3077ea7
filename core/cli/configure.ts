import type { Flags } from '../config/flags.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { ConfigError } from '../config/problem.ts';
import { type Core, createCore, type Surroundings } from '../core.ts';
import type { Logger } from '../log/logger.ts';
import { ApplyError } from '../plugin/apply-error.ts';
import type { PluginsAtWork } from '../plugin/plugins-at-work.ts';
import { State } from '../server/state.ts';

/** Which config, and what the command line tells it. */
export interface NamedConfig {
  /** As `-c` named it; undefined to search. */
  readonly file: string | undefined;
  readonly flags: Flags;
}

export interface ConfigureOptions<Log extends Logger> extends NamedConfig {
  readonly workingFolder: string;
  readonly otherFolders: readonly string[];
  /** The log, made when the config has said what it should be like. */
  readonly openLog: (config: LoadedConfig) => Log;
}

export interface Configured<Log extends Logger = Logger> {
  readonly config: LoadedConfig;
  readonly core: Core;
  readonly state: State;
  readonly log: Log;
}

/**
 * Loads the config and applies its plugins; starts nothing and opens nothing. Throws a ConfigError, also where plugins
 * cannot go together, or a NoConfigError.
 */
export async function configure<Log extends Logger>(
  options: ConfigureOptions<Log>,
): Promise<Configured<Log>> {
  const { openLog, ...where } = options;
  const config = await loadConfig(where);
  return configureLoaded(config, openLog(config));
}

/** The same for a config that is loaded. `pluginsAtWork`: where somebody looks at what they do. */
export function configureLoaded<Log extends Logger>(
  config: LoadedConfig,
  log: Log,
  pluginsAtWork?: PluginsAtWork,
): Configured<Log> {
  const { settings, baseFolder } = config;
  const state = new State(settings.stateDir);
  return { config, core: apply(config, { settings, baseFolder, state, log, pluginsAtWork }), state, log };
}

/** The core says what is wrong; only here is known which entries of the config it was at. */
function apply(config: LoadedConfig, surroundings: Surroundings): Core {
  try {
    return createCore(config.plugins, surroundings);
  } catch (error) {
    if (!(error instanceof ApplyError)) throw error;
    throw new ConfigError(error.faults.map((fault) => config.blame(fault)));
  }
}
