import { didYouMean } from '../config/did-you-mean.ts';
import { ConfigError, NoConfigError } from '../config/problem.ts';
import type { Core } from '../core.ts';
import { createLogger } from '../log/pino-log.ts';
import type { Subcommand } from '../plugin/subcommand.ts';
import type { CliIo } from './cli-io.ts';
import { configure } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { explain } from './explain.ts';

/** A word after `popper` that is not one of its own, and what stands behind it. */
export interface Called {
  readonly name: string;
  readonly args: readonly string[];
  /** The config whose plugins are asked. */
  readonly file: string | undefined;
  /** The words popper itself knows, for one that is misspelt. */
  readonly known: readonly string[];
}

/** Runs a subcommand that a plugin of the config brings. Where it cannot even be looked for, ends with 2. */
export async function runPluginSubcommand({ name, args, file, known }: Called, io: CliIo): Promise<number> {
  const { stdout, stderr } = io;
  const own = didYouMean(name, known);
  const core = await coreFor(file, io, own === undefined ? `popper ${name}` : undefined);
  const subcommand = core?.subcommands.get(name);
  if (subcommand === undefined) {
    if (core !== undefined || own !== undefined) stderr.write(unknownWord(name, known, core));
    return exitCode.unusable;
  }
  if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) {
    stdout.write(withNewline(subcommand.usage));
    return exitCode.done;
  }
  return subcommand.run(args, io);
}

/** The subcommands that plugins bring, for `popper --help`; undefined where no config tells. */
export async function subcommandsOf(
  file: string | undefined,
  io: CliIo,
): Promise<readonly Subcommand[] | undefined> {
  const core = await coreFor(file, io, undefined);
  return core && [...core.subcommands.entries()].map(({ value }) => value);
}

/** Without a `wanting`, a config that is missing or wrong is passed over in silence. */
async function coreFor(
  file: string | undefined,
  { stderr, workingFolder }: CliIo,
  wanting: string | undefined,
): Promise<Core | undefined> {
  try {
    const openLog = () => createLogger({ level: 'warn', format: 'auto', stream: stderr });
    return (await configure({ file, workingFolder, openLog })).core;
  } catch (error) {
    if (wanting === undefined && (error instanceof ConfigError || error instanceof NoConfigError)) {
      return undefined;
    }
    explain(error, stderr, workingFolder);
    stderr.write(`${wanting}: plugins bring it, and which there are the config says\n`);
    return undefined;
  }
}

function unknownWord(name: string, known: readonly string[], core: Core | undefined): string {
  const brought = [...(core?.subcommands.entries() ?? [])].map((entry) => entry.name);
  const meant = didYouMean(name, [...known, ...brought]);
  const hint = meant === undefined ? 'see popper --help' : `did you mean popper ${meant}?`;
  return `popper: there is no subcommand ${name}: ${hint}\n`;
}

const withNewline = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
