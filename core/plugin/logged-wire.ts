import type { SyncHook } from 'tapable';

import type { Logger } from '../log/logger.ts';
import type { WireEvent } from './hooks.ts';

/** Tells the log of each line that a client sends, and of each error that it is answered with, as the classic popper did. */
export function logWire(wire: SyncHook<[WireEvent]>, log: Logger): void {
  wire.tap('popper', ({ session, direction, text }) => {
    if (direction === 'received')
      log.debug('line received', { session, text: text.replace(/ \*{3}$/, mask) });
    else if (text.startsWith(error)) log.debug('error reply', { session, text: text.slice(error.length) });
  });
}

const error = '-ERR ';
/** What the classic put in a password's place. */
const mask = ' xxxxxxxxx';
