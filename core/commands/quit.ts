import { defineCommand } from './command.ts';
import { noArguments } from './no-arguments.ts';

/** QUIT: ends the session; after a login it begins UPDATE (RFC 1939 section 6). */
export const quit = defineCommand({
  keyword: 'QUIT',
  states: ['AUTHORIZATION', 'TRANSACTION'],
  usage: 'QUIT',
  countsOnly: true,
  parse: noArguments,
  run: () => ({ kind: 'quit' }),
});
