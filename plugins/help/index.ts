import { defineCommand, definePlugin, okLines } from 'popperd';

import { options } from './options.ts';

/** HELP, for people who meet the server by hand: logged in or not, they are told what the operator has written. */
export default definePlugin({
  name: 'help',
  options,

  apply(popper, { lines }) {
    popper.commands.add(
      defineCommand({
        keyword: 'HELP',
        states: ['AUTHORIZATION', 'TRANSACTION'],
        usage: 'HELP',
        countsOnly: true,
        parse: () => undefined,
        run: () => okLines('help follows', lines),
      }),
    );
  },
});
