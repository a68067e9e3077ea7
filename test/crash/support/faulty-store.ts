import { definePlugin, granted } from 'popperd';

import { realFiles } from '../../../plugins/store-mbox/commit/index.ts';
import { options } from '../../../plugins/store-mbox/options.ts';
import { MboxStore } from '../../../plugins/store-mbox/store.ts';
import { FaultGate } from './fault-gate.ts';
import { gatedFiles } from './gated-files.ts';

/** The mbox store over files that go wrong as planned, for the configs of crash tests alone. Lets every user in. */
export default definePlugin({
  name: 'faulty-store',
  options,

  apply(popper, settings) {
    const { hooks, log, baseFolder } = popper;
    const gate = new FaultGate(baseFolder, log);
    const store = new MboxStore(popper, settings, gatedFiles(realFiles, gate));
    const name = 'faulty-store';
    // As the mbox store does: without it no index is kept in memory alone, as it is in each process that serves.
    hooks.start.tapPromise(name, async (role) => store.start(role));
    hooks.authenticate.tapPromise(name, async ({ user }) =>
      granted({ user, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, home: '/nonexistent' }),
    );
    hooks.openMaildrop.tapPromise(name, async (identity) => {
      await gate.arm('login', identity.user);
      return await store.open(identity);
    });
    hooks.commit.tapPromise(name, (_, { identity }) => gate.arm('update', identity.user));
    hooks.sessionEnd.tapPromise(name, async ({ user }) => gate.disarm(user));
    hooks.recover.tapPromise(name, async (uid) => {
      await gate.arm('recovery', recovery);
      await store.recover(uid);
      gate.disarm(recovery);
    });
  },
});

/** Stands for a user in the plan of what goes wrong at a daemon's start. */
const recovery = 'recovery';
