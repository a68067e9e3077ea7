import { dirname, resolve } from 'node:path';

import { definePlugin } from 'popperd';

import { BulletinFolder } from './bulletin-folder.ts';
import { bulletinsCommand } from './command/subcommand.ts';
import { Complaints } from './complaints.ts';
import { realCounterFiles } from './counter-files.ts';
import { Delivery } from './delivery.ts';
import { Groups } from './groups.ts';
import { lookAtHomes, lookOver } from './look-over.ts';
import { options } from './options.ts';
import { Places } from './places.ts';
import { Selector } from './selection.ts';

/** Bulletins: messages of the operator's that each user gets once. */
export default definePlugin({
  name: 'bulletins',
  options,

  apply(popper, settings) {
    const { counters, newUserBulletins, host } = settings;
    const folder = new BulletinFolder(resolve(popper.baseFolder, settings.folder));
    const groups = new Groups(settings.groups, resolve(popper.baseFolder, settings.groupFile));
    const complaints = new Complaints(popper.log);
    const delivery = new Delivery({
      folder,
      selector: new Selector({ folder, groups, host, complaints }),
      places: new Places(popper.state, counters),
      files: realCounterFiles,
      complaints,
      newUserBulletins,
    });
    popper.hooks.maildrop.tapPromise('bulletins', (maildrop, identity) => delivery.into(maildrop, identity));
    popper.hooks.check.tapPromise('bulletins', async (checkup) => {
      await lookOver(folder, groups, checkup);
      if (counters === 'home') checkup.withUsers(async (users) => lookAtHomes(users, checkup));
    });
    // The folders of all uids lie side by side.
    const stateDir = (): string => dirname(popper.state.folderOfUid(0));
    popper.subcommands.add(bulletinsCommand({ folder, groups, host, counters, stateDir }));
  },
});
