import type { CliIo } from '../cli-io.ts';
import { readCommandLine } from '../command-line.ts';
import { ownProgram } from '../own-program.ts';
import { bareCommands } from './bare-commands.ts';
import { configPage } from './config-page.ts';
import { popperPage } from './popper-page.ts';
import { roffOf } from './roff.ts';

/** The pages for man(1) by the names of their files: the program without any plugin, and its configuration. */
export function manPages(io: CliIo): ReadonlyMap<string, string> {
  const program = ownProgram({ line: readCommandLine([]), io, help: '', ended: () => {} });
  const pages = [popperPage({ program, commands: bareCommands(), subcommands: [] }), configPage()];
  return new Map(pages.map((page) => [`${page.name}.${page.section}`, roffOf(page)]));
}
