import { type Command, defineCommand, type Identity, okLines, type Outcome } from 'popperd';

import type { Boards, Which } from './boards.ts';

const states = ['TRANSACTION'] as const;

/** The commands of RFC 1082. */
export const bboardCommands = (boards: Boards): readonly Command[] => [
  defineCommand({
    keyword: 'XTND BBOARDS',
    states,
    usage: 'XTND BBOARDS [name]',
    countsOnly: true,
    parse: (args) => args.optional(() => args.word()),

    async run(name, { identity }) {
      if (name === undefined) return okLines('XTND', await boards.listing());
      return name === identity.user ? backTo(identity) : into(boards, { name, which: 'board', identity });
    },
  }),
  defineCommand({
    keyword: 'XTND ARCHIVE',
    states,
    usage: 'XTND ARCHIVE name',
    countsOnly: true,
    parse: (args) => args.word(),
    run: (name, { identity }) => into(boards, { name, which: 'archive', identity }),
  }),
  defineCommand({
    keyword: 'XTND X-BBOARDS',
    states,
    usage: 'XTND X-BBOARDS name',
    countsOnly: true,
    parse: (args) => args.word(),
    run: async (name, { identity }) =>
      okLines('XTND', await boards.longListing(await boards.find(name), identity)),
  }),
];

/** The default drop, which has the user's name. */
const backTo = ({ user }: Identity): Outcome => ({
  kind: 'enter',
  hello: ({ count }) => okLines('XTND', [`${user} ${count}`]),
});

interface Wanted {
  readonly name: string;
  readonly which: Which;
  readonly identity: Identity;
}

/** The maildrop that the client is in is left only for a board that it can enter. */
async function into(boards: Boards, { name, which, identity }: Wanted): Promise<Outcome> {
  const board = await boards.find(name);
  await boards.prepare(board, which, identity);
  let maxima = 0;
  return {
    kind: 'enter',
    open: async () => {
      const maildrop = await boards.open(board, which, identity);
      maxima = maildrop.maxima;
      return maildrop;
    },
    hello: () => okLines('XTND', [`${board.name} ${maxima}`]),
  };
}
