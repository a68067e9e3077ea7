import { definePlugin } from 'popperd';
import { z } from 'zod';

import { euidl } from './euidl.ts';

/** The command EUIDL, which has no RFC. */
export default definePlugin({
  name: 'euidl',
  options: z.strictObject({}),

  apply(popper) {
    popper.commands.add(euidl);
  },
});
