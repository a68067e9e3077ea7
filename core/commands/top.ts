import { begun } from '../maildrop/begun.ts';
import { topOf } from '../maildrop/top.ts';
import { okBody } from '../protocol/reply.ts';
import { defineCommand } from './command.ts';

/** TOP msg n: the header, the blank line after it, and n lines of the body (RFC 1939 section 7). */
export const top = defineCommand({
  keyword: 'TOP',
  states: ['TRANSACTION'],
  usage: 'TOP msg n',
  capability: 'TOP',
  parse: (args) => ({ number: args.number(), lines: args.count() }),

  async run({ number, lines }, { deletions, maildrop, signal }) {
    const message = maildrop.read(deletions.indexOf(number), signal);
    return okBody('top of message follows', await begun(topOf(message, lines)));
  },
});
