import { ok } from '../protocol/reply.ts';
import type { Replies } from '../replies/replies.ts';
import { type Command, defineCommand } from './command.ts';

/** DELE msg: marks; nothing is removed before QUIT (RFC 1939 section 5). */
export const deleIn = (replies: Replies): Command =>
  defineCommand({
    keyword: 'DELE',
    states: ['TRANSACTION'],
    usage: 'DELE msg',
    marks: true,
    parse: (args) => args.number(),

    run(number, { deletions }) {
      deletions.mark(number);
      return ok(replies.deleted(number));
    },
  });
