import { definePlugin } from 'popperd';
import { z } from 'zod';

/**
 * Comes to no end with what dead processes of this uid have left half done, and blocks when the user `endless` logs in; where it is
 * told so, at UPDATE, too.
 */
export default definePlugin({
  name: 'hanger',
  options: z.strictObject({ uid: z.int(), blocksAtCommit: z.boolean().default(false) }),

  apply({ hooks }, { uid, blocksAtCommit }) {
    hooks.recover.tapPromise('hanger', (of) =>
      of === uid ? new Promise<void>(() => {}) : Promise.resolve(),
    );
    hooks.authenticate.tapPromise({ name: 'hanger', stage: -1 }, async ({ user }) => {
      if (user === 'endless') for (;;);
      return undefined;
    });
    hooks.commit.tapPromise('hanger', async () => {
      if (blocksAtCommit) for (;;);
    });
  },
});
