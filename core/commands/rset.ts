import { counted } from '../counted.ts';
import { ok } from '../protocol/reply.ts';
import { defineCommand } from './command.ts';
import { noArguments } from './no-arguments.ts';

/** RSET: takes back every DELE (RFC 1939 section 5). */
export const rset = defineCommand({
  keyword: 'RSET',
  states: ['TRANSACTION'],
  usage: 'RSET',
  countsOnly: true,
  parse: noArguments,

  run(_, { deletions, maildrop }) {
    deletions.reset();
    return ok(
      `maildrop has ${counted(maildrop.count, 'message')} (${counted(maildrop.totalOctets, 'octet')})`,
    );
  },
});
