import { ok } from '../protocol/reply.ts';
import type { Replies } from '../replies/replies.ts';
import { type Command, defineCommand } from './command.ts';
import { noArguments } from './no-arguments.ts';

/** RSET: takes back every DELE (RFC 1939 section 5). */
export const rsetIn = (replies: Replies): Command =>
  defineCommand({
    keyword: 'RSET',
    states: ['TRANSACTION'],
    usage: 'RSET',
    countsOnly: true,
    parse: noArguments,

    run(_, { deletions, maildrop }) {
      deletions.reset();
      return ok(replies.reset({ messages: maildrop.count, octets: maildrop.totalOctets }));
    },
  });
