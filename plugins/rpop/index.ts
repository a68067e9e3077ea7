import { resolve } from 'node:path';

import { definePlugin } from 'popperd';

import { options } from './options.ts';
import { rpopCommand } from './rpop-command.ts';
import { RpopLogins } from './rpop-logins.ts';

/** RPOP (RFC 1081): logins without a password, from machines that are trusted. Historic, and safe nowhere but in a museum. */
export default definePlugin({
  name: 'rpop',
  options,

  apply({ hooks, commands, baseFolder, log }, settings) {
    const logins = new RpopLogins({ ...settings, passwd: resolve(baseFolder, settings.passwd) });
    commands.add(rpopCommand(logins, log));
    // Before those that know passwords only.
    hooks.authenticate.tapPromise({ name: 'rpop', stage: -1 }, (attempt, session) =>
      logins.decide(attempt, session),
    );
    hooks.start.tapPromise('rpop', async (role) => {
      // There the process that strangers talk to would tell the other one where they come from, and be believed.
      if (role !== 'all' && role !== 'cli') throw new Error(`${notIsolated}: ${wayOut}`);
    });
    hooks.check.tapPromise('rpop', async (checkup) => {
      if (checkup.isolation === 'user') checkup.problem(notIsolated, wayOut);
      checkup.warning(
        `RPOP lets in without a password whoever has a machine in ${settings.from.join(', ')}`,
        'take rpop out of plugins, unless every administrator there is trusted, and the network too',
      );
    });
  },
});

const notIsolated = "RPOP works with isolation: 'none' only";
const wayOut = 'set that, or take rpop out of plugins';
