import { resolve } from 'node:path';

import { definePlugin } from 'popperd';
import { z } from 'zod';

import { introduction } from './introduction.ts';
import { settle } from './settle.ts';

/** A user, his password and some mail, so that a new popper has something to serve. For trying only. */
export default definePlugin({
  name: 'demo',
  options: z.strictObject({ folder: z.string().min(1).default('var') }),

  apply(popper, options) {
    const folder = resolve(popper.baseFolder, options.folder);

    popper.hooks.start.tapPromise('demo', async () => {
      await settle(folder);
    });
    popper.hooks.listening.tapPromise('demo', async (addresses) => {
      const { user, password } = await settle(folder);
      // Not the log: it holds a password, and is meant for whoever sits at the terminal.
      process.stderr.write(introduction({ folder, user, password, address: addresses[0] }));
    });
  },
});
