import { defineCommand, definePlugin, ok } from 'popperd';
import { z } from 'zod';

/** X-USAGE: how much of the limit the messages take that are not marked deleted. */
const usage = (limitOctets: number) =>
  defineCommand({
    keyword: 'X-USAGE',
    states: ['TRANSACTION'],
    usage: 'X-USAGE',
    capability: 'X-USAGE',
    countsOnly: true,
    parse: () => undefined,
    run: (_, { deletions }) => ok(`${deletions.remainingOctets} of ${limitOctets} octets`),
  });

export default definePlugin({
  name: 'usage',
  options: z.strictObject({ limitOctets: z.int().positive() }),

  apply(popper, { limitOctets }) {
    popper.commands.add(usage(limitOctets));

    popper.hooks.sessionEnd.tapPromise('usage', async ({ user, left }) => {
      if (left.octets > limitOctets)
        popper.log.warn('maildrop over its limit', { user, octets: left.octets });
    });
  },
});
