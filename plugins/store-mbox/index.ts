import { definePlugin } from 'popperd';

import { checkOwners } from './check-owners.ts';
import { checkSpool } from './check.ts';
import { realFiles } from './commit/index.ts';
import { options } from './options.ts';
import { MboxStore } from './store.ts';

export default definePlugin({
  name: 'store-mbox',
  options,

  apply(popper, settings) {
    const store = new MboxStore(popper, settings, realFiles);
    popper.hooks.start.tapPromise('store-mbox', async (role) => store.start(role));
    popper.hooks.openMaildrop.tapPromise('store-mbox', (identity) => store.open(identity));
    popper.hooks.recover.tapPromise('store-mbox', (uid) => store.recover(uid));
    popper.hooks.check.tapPromise('store-mbox', async (checkup) => {
      await checkSpool(checkup, settings, popper.baseFolder);
      checkup.withUsers((users) => checkOwners(users, checkup, settings, popper.baseFolder));
    });
  },
});
