import { setImmediate as turn } from 'node:timers/promises';

import { defineCommand, ok, okLines, type TransactionSession } from 'popperd';

import { fromTextOf } from './from-text.ts';

/** EUIDL [msg]: UIDL with the size and the sender, so that a client can show a list without fetching anything. */
export const euidl = defineCommand({
  keyword: 'EUIDL',
  states: ['TRANSACTION'],
  usage: 'EUIDL [msg]',
  parse: (args) => args.optional(() => args.number()),

  async run(number, session) {
    if (number !== undefined) return ok(await row(session.deletions.indexOf(number), session));
    return okLines('uidl command accepted.', rows(session));
  },
});

/** One message after the other, each when the client has taken what came before it. */
async function* rows(session: TransactionSession): AsyncGenerator<string> {
  for (const index of session.deletions.remaining()) {
    yield await row(index, session);
    // Mail in memory is read without a pause, and meanwhile nobody else would be served.
    if (index % 100 === 0) await turn();
  }
}

async function row(index: number, { maildrop, signal }: TransactionSession): Promise<string> {
  const from = await fromTextOf(maildrop.read(index, signal));
  return `${index + 1} ${maildrop.uidOf(index)} ${maildrop.octetsOf(index)} ${from}`.trimEnd();
}
