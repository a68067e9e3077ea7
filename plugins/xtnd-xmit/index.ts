import { hostname } from 'node:os';
import { join } from 'node:path';

import { definePlugin } from 'popperd';

import { options } from './options.ts';
import { faultOfDomain } from './own-domain.ts';
import { removeLeftovers } from './spool.ts';
import { makeTransport } from './transports/make.ts';
import { spoolFolder, xmit } from './xmit.ts';

/** XTND XMIT: users send mail through their POP3 session, by a mailer or server of the operator's choice. */
export default definePlugin({
  name: 'xtnd-xmit',
  options,

  apply(popper, given) {
    const transport = makeTransport(given, popper.baseFolder);
    popper.commands.add(xmit({ popper, options: given, transport }));

    popper.hooks.recover.tapPromise('xtnd-xmit', (uid) =>
      removeLeftovers(join(popper.state.folderOfUid(uid), spoolFolder)),
    );
    popper.hooks.check.tapPromise('xtnd-xmit', async (checkup) => {
      const fault = faultOfDomain(given.domain ?? hostname()) ?? (await transport.fault(checkup.isolation));
      if (fault === undefined) checkup.fine(`messages are sent by ${given.transport.kind}`);
      else checkup[fault.kind](fault.what, fault.fix);
    });
  },
});
