import { ok, okLines } from '../protocol/reply.ts';
import type { Replies } from '../replies/replies.ts';
import type { TransactionSession } from '../session/session.ts';
import { type Command, defineCommand } from './command.ts';

/** UIDL [msg]: unique-ids, which never change and are never given twice (RFC 1939 section 7). */
export const uidlIn = (replies: Replies): Command =>
  defineCommand({
    keyword: 'UIDL',
    states: ['TRANSACTION'],
    usage: 'UIDL [msg]',
    capability: 'UIDL',
    parse: (args) => args.optional(() => args.number()),

    run(number, session) {
      const { deletions, maildrop } = session;
      if (number !== undefined)
        return ok(`${number} ${maildrop.uidOf(deletions.indexOf(number, replies.noUniqueId))}`);
      return okLines(replies.uniqueIds(), uniqueIdListing(session));
    },
  });

function* uniqueIdListing({ deletions, maildrop }: TransactionSession): Generator<string> {
  for (const index of deletions.remaining()) yield `${index + 1} ${maildrop.uidOf(index)}`;
}
