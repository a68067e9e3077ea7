import { definePlugin } from 'popperd';
import { z } from 'zod';

import { xlist } from './xlist.ts';

/** One header field of every message, without the rest of it: what clients without UIDL know their mail by. */
export default definePlugin({
  name: 'xtnd-xlist',
  options: z.strictObject({}),

  apply(popper) {
    popper.commands.add(xlist('XLIST'));
    popper.commands.add(xlist('XLST'));
  },
});
