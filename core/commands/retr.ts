import { begunReply } from '../maildrop/begun.ts';
import { okBody } from '../protocol/reply.ts';
import type { Replies } from '../replies/replies.ts';
import { type Command, defineCommand } from './command.ts';

/** RETR msg: the whole message (RFC 1939 section 5). */
export const retrIn = (replies: Replies): Command =>
  defineCommand({
    keyword: 'RETR',
    states: ['TRANSACTION'],
    usage: 'RETR msg',
    parse: (args) => args.number(),

    run(number, { deletions, maildrop, signal }) {
      const index = deletions.indexOf(number);
      const octets = maildrop.octetsOf(index);
      return begunReply(maildrop.read(index, signal), (message) =>
        okBody(replies.retrieved(octets), message, octets),
      );
    },
  });
