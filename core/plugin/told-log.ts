import type { SyncHook } from 'tapable';

import { type Logger, loggerTo, type LogRecord } from '../log/logger.ts';

/**
 * A log that the `log` hook hears, too. What goes wrong in a tap is told to the daemon's own log alone, and so is what a
 * tap logs itself: a sink that fails, or talks, would have no end.
 */
export function toldLog(own: Logger, hook: SyncHook<[LogRecord]>): Logger {
  let telling = false;
  return loggerTo((record) => {
    own[record.level](record.message, record.fields);
    if (telling || !hook.isUsed()) return;
    telling = true;
    try {
      hook.call(record);
    } catch (error) {
      own.error('log failed', { error });
    } finally {
      telling = false;
    }
  });
}
