import { ok } from '../protocol/reply.ts';
import { defineCommand } from './command.ts';
import { noArguments } from './no-arguments.ts';

/** NOOP (RFC 1939 section 5). */
export const noop = defineCommand({
  keyword: 'NOOP',
  states: ['TRANSACTION'],
  usage: 'NOOP',
  countsOnly: true,
  parse: noArguments,
  run: () => ok(),
});
