import type { CliIo } from '../cli-io.ts';
import type { CommandLine } from '../command-line.ts';
import { exitCode } from '../exit-code.ts';
import { ownProgram } from '../own-program.ts';
import { pluginSubcommands } from '../plugin-subcommand.ts';
import { bareCommands } from './bare-commands.ts';
import { configPage } from './config-page.ts';
import { plainOf } from './plain.ts';
import { type Described, popperPage } from './popper-page.ts';

/** `popper help`: the manual, with what the plugins of the config bring. */
export async function showManual(topic: string | undefined, line: CommandLine, io: CliIo): Promise<number> {
  const page = topic === 'config' ? configPage() : popperPage(await describe(line, io));
  io.stdout.write(plainOf(page));
  return exitCode.done;
}

async function describe(line: CommandLine, io: CliIo): Promise<Described> {
  const { subcommands, commands = bareCommands() } = await pluginSubcommands(line, io);
  return { program: ownProgram({ line, io, help: '', ended: () => {} }), commands, subcommands };
}
