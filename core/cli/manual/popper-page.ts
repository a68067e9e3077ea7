import type { Command } from 'commander';

import { systemFolder } from '../../config/locate-config.ts';
import type { CommandTable } from '../../plugin/command-table.ts';
import type { Subcommand } from '../../plugin/subcommand.ts';
import { type Item, list, lines, type Page, text } from './page.ts';

/** What a page about the program is made from. */
export interface Described {
  readonly program: Command;
  /** The commands of POP3 that are served. */
  readonly commands: CommandTable;
  /** What plugins bring. */
  readonly subcommands: readonly Subcommand[];
}

/** popper(8): the program, from its own tables. */
export const popperPage = ({ program, commands, subcommands }: Described): Page => ({
  name: 'popper',
  section: 8,
  summary: 'a POP3 daemon that is made of plugins',
  parts: [
    {
      heading: 'Synopsis',
      blocks: [lines('popper [options] [serve]', 'popper [options] subcommand [arguments]')],
    },
    {
      heading: 'Description',
      blocks: [
        text(
          'popper serves maildrops to clients of POP3 (RFC 1939). Which ones, to whom, and with which commands, is up to plugins, which the configuration names: see popper.config(5).',
          'Without a subcommand it serves. The options of the classic popper are handed to the configuration, which reads them.',
        ),
      ],
    },
    { heading: 'Options', blocks: [list(optionsOf(program))] },
    { heading: 'Subcommands', blocks: [list([...ownSubcommands(program), ...subcommands.map(pluginItem)])] },
    {
      heading: 'POP3 commands',
      blocks: [list(Array.from(commands.entries(), ({ value }) => commandItem(value)))],
    },
    { heading: 'Signals', blocks: [list(signals)] },
    { heading: 'Files', blocks: [list(files)] },
    { heading: 'Exit status', blocks: [list(exitStatus)] },
    { heading: 'See also', blocks: [text('popper.config(5)')] },
  ],
});

const optionsOf = (program: Command): readonly Item[] =>
  program
    .createHelp()
    .visibleOptions(program)
    .map(({ flags, description }) => ({ term: flags, text: description }));

const ownSubcommands = (program: Command): readonly Item[] =>
  program
    .createHelp()
    .visibleCommands(program)
    .map((command) => ({
      term: `${command.name()} ${command.usage()}`.replace(/ ?\[options\] ?/, ' ').trim(),
      text: command.description(),
    }));

const pluginItem = ({ name, summary }: Subcommand): Item => ({ term: name, text: summary });

function commandItem({
  usage,
  states,
  capability,
}: {
  readonly usage: string;
  readonly states: readonly string[];
  readonly capability: string | undefined;
}): Item {
  const announced = capability === undefined ? '' : ` Announced by CAPA as ${capability}.`;
  return { term: usage, text: `In ${states.join(' and ')}.${announced}` };
}

const signals: readonly Item[] = [
  {
    term: 'SIGTERM, SIGINT',
    text: 'Ends it: commands at work are finished, and nothing that is only marked is removed. A second one ends it at once.',
  },
  {
    term: 'SIGHUP',
    text: 'Serves with the configuration as it is now, where several processes serve; one that serves alone ends.',
  },
];

const files: readonly Item[] = [
  {
    term: `popper.config.ts, ${systemFolder}/popper.config.ts`,
    text: 'The configuration; see popper.config(5).',
  },
  { term: 'stateDir', text: 'Where the daemon keeps indexes, locks and journals, and its control socket.' },
];

const exitStatus: readonly Item[] = [
  { term: '0', text: 'It is done, or in order.' },
  { term: '1', text: 'There were problems, or it did not work; also an option that there is not.' },
  { term: '2', text: 'It could not even be tried: no configuration, or a command line that makes no sense.' },
];
