import type { Subcommand, SubcommandIo } from 'popperd';

import { add } from './add.ts';
import type { Library } from './library.ts';
import { list } from './list.ts';
import { preview } from './preview.ts';
import { status } from './status.ts';

const usage = `usage: popper bulletins list                    show the bulletins, and which cannot be delivered
       popper bulletins add [OPTION...]         add one: a message on standard input, or a text with --subject;
                                                on a terminal, a form asks for both
       popper bulletins preview NUMBER [USER]   show one as USER gets it
       popper bulletins status [HOME...]        show which bulletin each user had last

With add: --subject TEXT, --expires DATE (2026-12-31, or as in mail), --group GROUP, --from ADDRESS and
--title TEXT, for the name of the file.

Ends with 0 when done, 1 when not (no such bulletin, one that cannot be delivered), 2 when it cannot be done so.
`;

type Action = (args: readonly string[], library: Library, io: SubcommandIo) => Promise<number>;

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['list', list],
  ['add', add],
  ['preview', preview],
  ['status', status],
]);

/** `popper bulletins`: looks after the folder of the configuration. */
export const bulletinsCommand = (library: Library): Subcommand => ({
  name: 'bulletins',
  summary: 'list, add or preview bulletins, and see who had them',
  usage,

  async run([word = '', ...args], io) {
    const action = actions.get(word);
    if (action === undefined) {
      io.stderr.write(usage);
      return 2;
    }
    try {
      return await action(args, library, io);
    } catch (error) {
      io.stderr.write(`popper bulletins: ${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    }
  },
});
