import { counted } from '../counted.ts';
import { ok, okLines } from '../protocol/reply.ts';
import type { TransactionSession } from '../session/session.ts';
import { defineCommand } from './command.ts';

/** LIST [msg]: the scan listing, or one line of it (RFC 1939 section 5). */
export const list = defineCommand({
  keyword: 'LIST',
  states: ['TRANSACTION'],
  usage: 'LIST [msg]',
  parse: (args) => args.optional(() => args.number()),

  run(number, session) {
    const { deletions, maildrop } = session;
    if (number !== undefined) return ok(`${number} ${maildrop.octetsOf(deletions.indexOf(number))}`);
    const { remainingCount, remainingOctets } = deletions;
    return okLines(
      `${counted(remainingCount, 'message')} (${counted(remainingOctets, 'octet')})`,
      scanListing(session),
    );
  },
});

function* scanListing({ deletions, maildrop }: TransactionSession): Generator<string> {
  for (const index of deletions.remaining()) yield `${index + 1} ${maildrop.octetsOf(index)}`;
}
