import { begun } from '../maildrop/begun.ts';
import { topOf } from '../maildrop/top.ts';
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

    async run({ number, lines }, { deletions, maildrop, signal }) {
      const index = deletions.indexOf(number);
      const message = maildrop.read(index, signal);
      return okBody(replies.top(maildrop.octetsOf(index)), await begun(topOf(message, lines)));
    },
  });
