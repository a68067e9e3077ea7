import { installedSubcommands } from '../config/installed-subcommands.ts';
import { ConfigError, NoConfigError } from '../config/problem.ts';
import type { Core } from '../core.ts';
import { didYouMean } from '../did-you-mean.ts';
import { createLogger } from '../log/pino-log.ts';
import type { Subcommand } from '../plugin/subcommand.ts';
import type { CliIo } from './cli-io.ts';
import { configure, type NamedConfig } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { explain } from './explain.ts';

/** A word after `popper` that is not one of its own, and what stands behind it. */
export interface Called {
  readonly name: string;
  readonly args: readonly string[];
  /** The config whose plugins are asked, and what it is told: with `-b` it may name one that it does not name without. */
  readonly config: NamedConfig;
  /** The words popper itself knows, for one that is misspelt. */
  readonly known: readonly string[];
}

/** Runs a subcommand that a plugin brings. Where it cannot even be looked for, ends with 2. */
export async function runPluginSubcommand(called: Called, io: CliIo): Promise<number> {
  const { name, args, config } = called;
  const sought = await coreFor(config, io);
  const subcommands = await subcommandsIn(sought, config);
  const subcommand = subcommands.find((one) => one.name === name);
  if (subcommand === undefined) return refuse(called, { sought, subcommands, io });
  if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) {
    io.stdout.write(withNewline(subcommand.usage));
    return exitCode.done;
  }
  return subcommand.run(args, io);
}

/** What the plugins of a config bring. */
interface Brought {
  readonly subcommands: readonly Subcommand[];
  /** Whether a config has said which there are. */
  readonly areAll: boolean;
  /** The commands of POP3, theirs and the core's; undefined where no config says which there are. */
  readonly commands: Core['commands'] | undefined;
}

/** The subcommands that plugins bring, for `popper --help`, and whether a config has said which there are. */
export async function pluginSubcommands(config: NamedConfig, io: CliIo): Promise<Brought> {
  const sought = await coreFor(config, io);
  const isThere = 'core' in sought;
  return {
    subcommands: await subcommandsIn(sought, config),
    areAll: isThere,
    commands: isThere ? sought.core.commands : undefined,
  };
}

/** The core that the config makes, or why there is none. */
type Sought = { readonly core: Core } | { readonly error: unknown };

async function coreFor(named: NamedConfig, io: CliIo): Promise<Sought> {
  const { stderr, workingFolder, otherFolders } = io;
  try {
    const openLog = () => createLogger({ level: 'warn', format: 'auto', stream: stderr });
    return await configure({ ...named, workingFolder, otherFolders, openLog });
  } catch (error) {
    if (error instanceof ConfigError || error instanceof NoConfigError) return { error };
    throw error;
  }
}

/** Before there is a config, what needs none can be run: it may be what the config is to name. */
async function subcommandsIn(sought: Sought, { file }: NamedConfig): Promise<readonly Subcommand[]> {
  if ('core' in sought) return Array.from(sought.core.subcommands.entries(), ({ value }) => value);
  const isMissing = file === undefined && sought.error instanceof NoConfigError;
  return isMissing ? Array.fromAsync(installedSubcommands()) : [];
}

interface Refused {
  readonly sought: Sought;
  readonly subcommands: readonly Subcommand[];
  readonly io: CliIo;
}

function refuse({ name, known }: Called, { sought, subcommands, io }: Refused): number {
  const { stderr, workingFolder } = io;
  const meant = didYouMean(name, [...known, ...subcommands.map((one) => one.name)]);
  if ('core' in sought || meant !== undefined) {
    const hint = meant === undefined ? whereItMayBe : `did you mean popper ${meant}?`;
    stderr.write(`popper: there is no subcommand ${name}: ${hint}\n`);
  } else {
    explain(sought.error, stderr, workingFolder);
    stderr.write(`popper ${name}: plugins bring it, and which there are the config says\n`);
  }
  return exitCode.unusable;
}

const whereItMayBe =
  "see popper --help; a plugin's is there only where the config names the plugin, which may depend on -d, -s, -k, -t, -T and -b";

const withNewline = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
