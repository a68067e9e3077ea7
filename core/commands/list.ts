import type { Maildrop } from '../maildrop/maildrop.ts';
import { ok, okLines } from '../protocol/reply.ts';
import type { Replies } from '../replies/replies.ts';
import type { TransactionSession } from '../session/session.ts';
import { type Command, defineCommand } from './command.ts';

/** LIST [msg]: the scan listing, or one line of it (RFC 1939 section 5). */
export const listIn = (replies: Replies): Command =>
  defineCommand({
    keyword: 'LIST',
    states: ['TRANSACTION'],
    usage: 'LIST [msg]',
    parse: (args) => args.optional(() => args.number()),

    run(number, session) {
      const { deletions, maildrop } = session;
      if (number !== undefined) return ok(lineOf(deletions.indexOf(number), maildrop));
      const left = { messages: deletions.remainingCount, octets: deletions.remainingOctets };
      return okLines(replies.listing(left), scanListing(session));
    },
  });

function* scanListing({ deletions, maildrop }: TransactionSession): Generator<string> {
  for (const index of deletions.remaining()) yield lineOf(index, maildrop);
}

function lineOf(index: number, maildrop: Maildrop): string {
  const line = `${index + 1} ${maildrop.octetsOf(index)}`;
  return maildrop.boardNumberOf === undefined ? line : `${line} ${maildrop.boardNumberOf(index)}`;
}
