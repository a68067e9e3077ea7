import { ok } from '../protocol/reply.ts';
import { defineCommand } from './command.ts';
import { noArguments } from './no-arguments.ts';

/** STAT: the drop listing, with nothing after the two numbers (RFC 1939 section 5). */
export const stat = defineCommand({
  keyword: 'STAT',
  states: ['TRANSACTION'],
  usage: 'STAT',
  countsOnly: true,
  parse: noArguments,
  run: (_, { deletions }) => ok(`${deletions.remainingCount} ${deletions.remainingOctets}`),
});
