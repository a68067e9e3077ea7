import { type Command, defineCommand, okLines, type TransactionSession } from 'popperd';

import { Breather } from './breather.ts';
import { firstField } from './first-field.ts';

/** `XTND keyword header [msg]`: one header field of every message, or of one. */
export const xlist = (keyword: 'XLIST' | 'XLST'): Command =>
  defineCommand({
    keyword: `XTND ${keyword}`,
    states: ['TRANSACTION'],
    usage: `XTND ${keyword} header [msg]`,
    parse: (args) => ({ header: args.word(), number: args.optional(() => args.number()) }),

    async run({ header, number }, session) {
      const lines = number === undefined ? fields(header, session) : await field(header, number, session);
      return okLines('xlst command accepted; headers coming.', lines);
    },
  });

/** Read before the +OK, so that a message which is not there, or cannot be read, is told of by an -ERR. */
const field = (
  header: string,
  number: number,
  { deletions, maildrop, signal }: TransactionSession,
): Promise<readonly string[]> =>
  firstField(maildrop.read(deletions.indexOf(number), signal), header).then((lines) =>
    numbered(number, lines),
  );

/** One message after the other, each when the client has taken what came before it. */
async function* fields(
  header: string,
  { deletions, maildrop, signal }: TransactionSession,
): AsyncGenerator<string> {
  const breather = new Breather();
  for (const index of deletions.remaining()) {
    signal.throwIfAborted();
    yield* numbered(index + 1, await firstField(maildrop.read(index, signal), header));
    await breather.pause();
  }
}

/** The number stands before the first line only, as the lines that a field goes on in begin with a space. */
const numbered = (number: number, lines: readonly string[]): readonly string[] =>
  lines.map((line, index) => (index === 0 ? `${number} ${line}` : line));
