import { begunReply } from '../maildrop/begun.ts';
import { Top } from '../maildrop/top.ts';
import { okBody } from '../protocol/reply.ts';
import type { Replies } from '../replies/replies.ts';
import { type Command, defineCommand } from './command.ts';

/** TOP msg n: the header, the blank line after it, and n lines of the body (RFC 1939 section 7). */
export const topIn = (replies: Replies): Command =>
  defineCommand({
    keyword: 'TOP',
    states: ['TRANSACTION'],
    usage: 'TOP msg n',
    capability: 'TOP',
    parse: (args) => ({ number: args.number(), lines: args.count() }),

    run({ number, lines }, { deletions, maildrop, signal }) {
      const index = deletions.indexOf(number);
      const octets = maildrop.octetsOf(index);
      return begunReply(new Top(maildrop.read(index, signal), lines), (top) =>
        okBody(replies.top(octets), top),
      );
    },
  });
