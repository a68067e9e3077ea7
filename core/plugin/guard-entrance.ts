import { foundBy } from '../maildrop/makers.ts';
import type { Entrance } from '../session/outcome.ts';
import type { Guarded } from './guard.ts';

/** The same for a plugin that leads into another maildrop, which is known as its own from then on. Its deadline is the session's. */
export function guardEntrance(
  { open, hello }: Entrance,
  { plugin, where, atWork }: Pick<Guarded<never>, 'plugin' | 'where' | 'atWork'>,
): Entrance {
  return {
    ...(open && {
      open: () => atWork.during({ plugin, where }, async () => foundBy(plugin, await open())),
    }),
    hello(maildrop) {
      const piece = atWork.began(plugin, where);
      try {
        return hello(maildrop);
      } finally {
        atWork.ended(piece);
      }
    },
  };
}
