import { definePlugin, type SessionReport } from 'popperd';
import { z } from 'zod';

import { lineIn, type Session, textForms } from './session-lines.ts';

const form = z.enum([...textForms, 'json']);

const optionsSchema = z.strictObject({
  form: z
    .union([form, z.array(form).min(1)], {
      error: `expected one or several of ${[...textForms, 'json'].join(', ')}`,
    })
    .transform((forms) => [...new Set([forms].flat())])
    .prefault('classic'),
});

/** One line of statistics, or several, for every session with a login. */
export default definePlugin({
  name: 'statistics',
  options: optionsSchema,

  apply(popper, options) {
    popper.hooks.sessionEnd.tapPromise('statistics', async (report) => {
      const session = countable(report);
      if (session === undefined) return;
      for (const one of options.form)
        if (one === 'json') popper.log.info('statistics', recordOf(session));
        else popper.log.info(lineIn(one, session, process.pid));
    });
  },
});

/** Undefined where there is nothing to count: nobody logged in, or the maildrop could not be opened. */
function countable({ user, failure, ...session }: SessionReport): Session | undefined {
  const { ending, deleted, left } = session;
  if (user === undefined) return undefined;
  const sawNothing = left.messages + deleted.messages === 0;
  return failure !== undefined && ending === 'failed' && sawNothing ? undefined : { ...session, user };
}

/** Flat, so that whatever reads it needs to know no more than the names. */
const recordOf = ({ id, peer, tls, retrieved, top, deleted, left, ...rest }: Session) => ({
  session: id,
  address: peer.address,
  tls: tls?.protocol,
  ...rest,
  retrievedMessages: retrieved.messages,
  retrievedOctets: retrieved.octets,
  topMessages: top.messages,
  topOctets: top.octets,
  deletedMessages: deleted.messages,
  deletedOctets: deleted.octets,
  leftMessages: left.messages,
  leftOctets: left.octets,
});
