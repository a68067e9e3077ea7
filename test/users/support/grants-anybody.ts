import { definePlugin, granted } from 'popperd';
import { z } from 'zod';

/** Lets in whoever comes by a name that is not among these, whatever the password, as one who may read this uid's mail. */
export default definePlugin({
  name: 'grants-anybody',
  options: z.strictObject({ but: z.array(z.string()), uid: z.int(), gid: z.int() }),

  apply({ hooks }, { but, uid, gid }) {
    // Before who denies those whom he does not know.
    hooks.authenticate.tapPromise({ name: 'grants-anybody', stage: -1 }, async ({ user }) =>
      but.includes(user) ? undefined : granted({ user, uid, gid, home: '/nonexistent' }),
    );
  },
});
