import { Command, CommanderError } from 'commander';

import type { Subcommand } from '../plugin/subcommand.ts';
import { check } from './check.ts';
import { type CliIo, hasColours } from './cli-io.ts';
import { addControlCommands, controlWords } from './control/add-control-commands.ts';
import { exitCode } from './exit-code.ts';
import { packageVersion } from './package-version.ts';
import { pluginSubcommands, runPluginSubcommand } from './plugin-subcommand.ts';
import { plugins } from './plugins.ts';
import { serve } from './serve.ts';

type Run = (file: string | undefined, io: CliIo) => Promise<number>;

interface Own {
  readonly summary: string;
  /** Stands at the end of its help. */
  readonly ending?: string;
  readonly run: Run;
}

/** What popper can do without any plugin. */
const own: Readonly<Record<string, Own>> = {
  serve: { summary: 'serve maildrops to clients, until a signal ends it', run: serve },
  check: {
    summary: 'look for problems in the config and what it names',
    ending:
      '\nEnds with 0 where all is in order (warnings may be), 1 where there are problems, 2 where there is no config.\n',
    run: check,
  },
  plugins: { summary: 'list plugins, hooks in order, commands and capabilities', run: plugins },
};

const ownWords = [...Object.keys(own), ...controlWords, 'help'];

/** Runs the `popper` program with these arguments (without node and file) and gives its exit code. */
export async function runProgram(args: readonly string[], io: CliIo): Promise<number> {
  const { word, file, rest } = firstWord(args);
  if (word !== undefined && !ownWords.includes(word)) {
    return runPluginSubcommand({ name: word, known: ownWords, ...configAround(rest, file) }, io);
  }
  const [topic] = rest;
  if (word === 'help' && topic !== undefined && !ownWords.includes(topic)) {
    return runPluginSubcommand({ name: topic, known: ownWords, args: ['--help'], file }, io);
  }
  return runOwn(args, { io, help: asksForHelp(args, word) ? await pluginHelp(file, io) : '' });
}

interface First {
  readonly word: string | undefined;
  readonly file: string | undefined;
  /** What stands behind the word. */
  readonly rest: readonly string[];
}

/** The first argument that is no option, and the config named before it: a plugin's options are its own to read. */
function firstWord(args: readonly string[]): First {
  const [first, ...rest] = args;
  if (first === undefined) return { word: undefined, file: undefined, rest };
  if (!first.startsWith('-')) return { word: first, file: undefined, rest };
  const { file, args: others } = configIn(args, undefined);
  const next = firstWord(others.length < args.length ? others : rest);
  return { ...next, file: next.file ?? file };
}

/** Takes `-c FILE`, in any of its spellings, from the front. */
function configIn(args: readonly string[], otherwise: string | undefined) {
  const [first = '', second, ...rest] = args;
  if (first === '-c' || first === '--config') return { file: second ?? otherwise, args: rest };
  const attached = /^(?:--config=|-c)(.+)$/s.exec(first)?.[1];
  if (attached === undefined) return { file: otherwise, args };
  return { file: attached, args: args.slice(1) };
}

/** The same, or where it is not there `-c FILE` from the end: whatever else a subcommand gets is its own to read. */
function configAround(args: readonly string[], otherwise: string | undefined) {
  const front = configIn(args, otherwise);
  if (front.file !== undefined || args.includes('--')) return front;
  const attached = /^--config=(.+)$/s.exec(args.at(-1) ?? '')?.[1];
  if (attached !== undefined) return { file: attached, args: args.slice(0, -1) };
  const isNamed = ['-c', '--config'].includes(args.at(-2) ?? '');
  return isNamed ? { file: args.at(-1), args: args.slice(0, -2) } : front;
}

const asksForHelp = (args: readonly string[], word: string | undefined): boolean =>
  (word === undefined || word === 'help') && !args.includes('--version') && !args.includes('-V');

async function pluginHelp(file: string | undefined, io: CliIo): Promise<string> {
  const { subcommands, areAll } = await pluginSubcommands(file, io);
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

async function runOwn(
  args: readonly string[],
  { io, help }: { readonly io: CliIo; readonly help: string },
): Promise<number> {
  const codes: number[] = [];
  const program = programFor(io, help);
  for (const [name, { summary, ending = '', run }] of Object.entries(own)) {
    program
      .command(name)
      .description(summary)
      .addHelpText('after', ending)
      .action(async () => {
        codes.push(await run(configOption(program), io));
      });
  }
  addControlCommands(program, {
    io,
    file: () => configOption(program),
    ended: (code) => codes.push(code),
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCode.done : exitCode.unusable;
  }
  return codes[0] ?? exitCode.unusable;
}

function configOption(program: Command): string | undefined {
  const file: unknown = program.opts()['config'];
  return typeof file === 'string' ? file : undefined;
}

const programFor = (io: CliIo, help: string): Command =>
  new Command('popper')
    .description('A POP3 daemon that is made of plugins.')
    .option('-c, --config <file>', 'the config file; without it, popper.config.* here or in /etc/popper')
    .version(packageVersion('.', import.meta.url) ?? 'unknown', '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', help)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'popper: ')),
      getOutHasColors: () => hasColours(io.stdout),
      getErrHasColors: () => hasColours(io.stderr),
    })
    .showSuggestionAfterError()
    .showHelpAfterError('(popper --help says what there is)')
    .exitOverride();
