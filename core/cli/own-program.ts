import { Command } from 'commander';

import { ownVersion } from '../package-version.ts';
import { type CliIo, hasColours } from './cli-io.ts';
import { type CommandLine, readCommandLine } from './command-line.ts';
import type { NamedConfig } from './configure.ts';
import { addControlCommands, controlWords } from './control/add-control-commands.ts';
import { serve } from './serve.ts';

type Run = (named: NamedConfig, io: CliIo) => Promise<number>;

interface Own {
  readonly summary: string;
  /** Stands at the end of its help. */
  readonly ending?: string;
  readonly run: Run;
}

/** What popper can do without any plugin. What a daemon does not need it does not load, for a master may be root for months. */
const own: Readonly<Record<string, Own>> = {
  serve: {
    summary: 'serve maildrops to clients, until a signal ends it',
    run: async (named, io) => {
      if (io.client === undefined) return serve(named, io);
      const { serveInetd } = await import('./inetd.ts');
      return serveInetd(named, io);
    },
  },
  check: {
    summary: 'look for problems in the config and what it names',
    ending:
      '\nEnds with 0 where all is in order (warnings may be), 1 where there are problems, 2 where there is no config.\n',
    run: async (named, io) => {
      const { check } = await import('./check.ts');
      return check(named, io);
    },
  },
  plugins: {
    summary: 'list plugins, hooks in order, commands and capabilities',
    run: async (named, io) => {
      const { plugins } = await import('./plugins.ts');
      return plugins(named, io);
    },
  },
};

/** What popper itself has subcommands for, `help` among them. */
export const ownWords = [...Object.keys(own), ...controlWords, 'help'];

/** Whether it is one that reads the config for its flags, which may then stand behind it, too. */
export const readsFlags = (word: string): boolean => Object.hasOwn(own, word);

export interface OwnProgramOptions {
  readonly line: CommandLine;
  readonly io: CliIo;
  /** Stands at the end of its help. */
  readonly help: string;
  /** Is given the exit code of the subcommand that was run. */
  readonly ended: (code: number) => void;
}

/** The program without its plugins: its options and subcommands. */
export function ownProgram({ line, io, help, ended }: OwnProgramOptions): Command {
  const program = programFor(io, help);
  const named = (): NamedConfig => readCommandLine(classicWords(program), line);
  for (const [name, { summary, ending = '', run }] of Object.entries(own)) {
    program
      .command(name)
      .description(summary)
      .addHelpText('after', ending)
      .action(async () => ended(await run(named(), io)));
  }
  addControlCommands(program, { io, named, ended });
  return program;
}

/** The config and the options of the classic popper that were found behind a subcommand's word. */
const classicWords = (program: Command): readonly string[] =>
  Object.entries(program.opts()).flatMap(([name, value]: readonly [string, unknown]) => {
    if (!/^([a-zA-Z]|config)$/.test(name)) return [];
    const letter = `-${name.charAt(0)}`;
    return value === true ? [letter] : [letter, String(value)];
  });

const programFor = (io: CliIo, help: string): Command =>
  new Command('popper')
    .usage('[options] [serve]\n       popper [options] [subcommand]')
    .description(
      'A POP3 daemon that is made of plugins. Without a subcommand it serves. What -d to -b mean is up to the config, which reads them.',
    )
    .option('-c, --config <file>', 'the config file; without it, popper.config.* here or in /etc/popper')
    .option('-d', 'log at debug')
    .option('-s', 'statistics')
    .option('-k', 'Kerberos')
    .option('-t <file>', 'write a trace to this file')
    .option('-T <seconds>', 'how long a silent client is kept')
    .option('-b <folder>', 'where the bulletins are')
    .option('--inetd', 'serve the one client on standard input, as inetd starts it')
    .option('--tls', 'with --inetd: the client begins with TLS')
    .version(ownVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand(
      'help [word]',
      'the manual; of config: every key of the configuration; of a command: its help',
    )
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
