import { CommanderError } from 'commander';

import type { Subcommand } from '../plugin/subcommand.ts';
import { refuse } from '../server/inetd/sole-client.ts';
import type { CliIo } from './cli-io.ts';
import { type CommandLine, classicUsage, readCommandLine, WrongOption } from './command-line.ts';
import { configAround } from './config-option.ts';
import type { NamedConfig } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { ownProgram, ownWords, readsFlags } from './own-program.ts';
import type { Called } from './plugin-subcommand.ts';

/** Runs the `popper` program with these arguments (without node and file) and gives its exit code. */
export async function runProgram(args: readonly string[], io: CliIo): Promise<number> {
  try {
    return await runLine(io.client === undefined ? readCommandLine(args) : readInetdLine(args), io);
  } catch (error) {
    if (!(error instanceof WrongOption)) throw error;
    if (io.client !== undefined) refuse(io.client);
    io.stderr.write(`${classicUsage}popper: ${error.message} (popper --help says what there is)\n`);
    return exitCode.problems;
  }
}

async function runLine(line: CommandLine, io: CliIo): Promise<number> {
  const { rest } = line;
  const [word, ...behind] = rest;
  // The classic popper had no subcommands: it served.
  if (word === undefined) return runOwn(['serve'], line, io);
  if (readsFlags(word)) return runOwnWord(word, behind, { line, io });
  if (word === 'help') return runHelp(behind, line, io);
  if (word.startsWith('-') || ownWords.includes(word)) return runOwn(rest, line, io);
  const { file, args } = configAround(behind, line.file);
  const config = { file, flags: line.flags };
  return runPlugins({ name: word, args, config }, io);
}

/** `popper help`, of a word or of nothing: the config may be named behind it, too. */
function runHelp(
  behind: readonly string[],
  { flags, file: before }: CommandLine,
  io: CliIo,
): Promise<number> {
  const { file, args } = configAround(behind, before);
  const [topic] = args;
  const line = { flags, file, rest: ['help', ...args] };
  if (topic === undefined || topic === 'config') return readManual(topic, line, io);
  if (topic.startsWith('-') || ownWords.includes(topic)) return runOwn(['help', topic], line, io);
  return runPlugins({ name: topic, args: ['--help'], config: line }, io);
}

/** What `--inetd` and `--tls` say is known by now: it had to be before anything else was done. */
function readInetdLine(args: readonly string[]): CommandLine {
  const line = readCommandLine(args.filter((word) => word !== '--inetd' && word !== '--tls'));
  const [word = 'serve'] = line.rest;
  if (word !== 'serve') throw new WrongOption(`--inetd goes with serve, and not with ${word}`);
  return line;
}

async function readManual(topic: string | undefined, line: CommandLine, io: CliIo): Promise<number> {
  const { showManual } = await import('./manual/show-manual.ts');
  return showManual(topic, line, io);
}

async function runPlugins(called: Omit<Called, 'known'>, io: CliIo): Promise<number> {
  const { runPluginSubcommand } = await import('./plugin-subcommand.ts');
  return runPluginSubcommand({ ...called, known: ownWords }, io);
}

/** Options of the classic popper may stand behind such a word, too. */
function runOwnWord(
  word: string,
  behind: readonly string[],
  { line, io }: { readonly line: CommandLine; readonly io: CliIo },
): Promise<number> {
  const { rest, file, flags } = readCommandLine(behind, line);
  return runOwn([word, ...rest], { file, flags, rest }, io);
}

const asksForHelp = ([word]: readonly string[]): boolean => ['-h', '--help'].includes(word ?? '');

async function pluginHelp(config: NamedConfig, io: CliIo): Promise<string> {
  const { pluginSubcommands } = await import('./plugin-subcommand.ts');
  const { subcommands, areAll } = await pluginSubcommands(config, io);
  const more = areAll ? '' : '\nPlugins bring more subcommands; a config says which (-c FILE).\n';
  return listOf(subcommands) + more + endings;
}

const endings = `
Ends with 0 when it is done, or in order; with 1 when there were problems, or it did not work; with 2 when it
could not even be tried: no config, or a command line that makes no sense.
`;

function listOf(subcommands: readonly Subcommand[]): string {
  if (subcommands.length === 0) return '';
  const widest = Math.max(...subcommands.map(({ name }) => name.length));
  const lines = subcommands.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}\n`);
  return `\nSubcommands of plugins:\n${lines.join('')}`;
}

async function runOwn(args: readonly string[], line: CommandLine, io: CliIo): Promise<number> {
  const codes: number[] = [];
  const help = asksForHelp(args) ? await pluginHelp({ file: fileIn(args, line), flags: line.flags }, io) : '';
  const program = ownProgram({ line, io, help, ended: (code) => void codes.push(code) });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (io.client !== undefined) refuse(io.client);
    return error.exitCode === 0 ? exitCode.done : exitCode.unusable;
  }
  return codes[0] ?? exitCode.unusable;
}

/** The config that is named behind `--help`. */
const fileIn = ([, ...behind]: readonly string[], { file }: CommandLine): string | undefined =>
  configAround(behind, file).file;
