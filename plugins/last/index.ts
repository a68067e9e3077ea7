import { definePlugin } from 'popperd';

import { lastCommand, Lasts } from './last.ts';
import { options } from './options.ts';

/** LAST, by which clients told new mail from old before there was UIDL. */
export default definePlugin({
  name: 'last',
  options,

  apply({ hooks, commands }, { meaning }) {
    const lasts = new Lasts(meaning);
    for (const keyword of lasts.counted) {
      hooks.answer
        .for(keyword)
        .tap('last', ({ status }, words, session) => status === '+OK' && lasts.note(session, words));
    }
    hooks.answer
      .for('RSET')
      .tap('last', ({ status }, _, session) => status === '+OK' && lasts.reset(session));
    commands.add(lastCommand(lasts));
  },
});
