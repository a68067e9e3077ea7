import { resolve } from 'node:path';

import { definePlugin } from 'popperd';

import { BoardFolder } from './board-folder.ts';
import { Boards } from './boards.ts';
import { checkBoards } from './check.ts';
import { bboardCommands } from './commands.ts';
import { options } from './options.ts';
import { Surveys } from './surveys.ts';

/** Bulletin boards (RFC 1082): maildrops that many read, and nobody removes anything from. */
export default definePlugin({
  name: 'bboards',
  options,

  apply(popper, settings) {
    const folder = new BoardFolder(resolve(popper.baseFolder, settings.folder), settings.boards);
    const surveys = new Surveys();
    const boards = new Boards(folder, surveys, popper.log);
    for (const command of bboardCommands(boards)) popper.commands.add(command);
    popper.hooks.check.tapPromise('bboards', (checkup) => checkBoards(checkup, folder, settings.boards));
    popper.hooks.stop.tapPromise('bboards', async () => surveys.stop());
  },
});
