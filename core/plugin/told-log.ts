import type { SyncHook } from 'tapable';

import { type Logger, loggerTo, type LogRecord } from '../log/logger.ts';
import { type LogStyle, plainStyle } from '../log/style.ts';

/**
 * A log that the `log` hook hears, too. What goes wrong in a tap is told to the daemon's own log alone, and so is what a
 * tap logs itself: a sink that fails, or talks, would have no end.
 */
export function toldLog(own: Logger, hook: SyncHook<[LogRecord]>, style: LogStyle = plainStyle): Logger {
  let telling = false;
  const tell = (record: LogRecord): void => {
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
  };
  return loggerTo((record) => {
    for (const styled of style(record)) tell(styled);
  });
}
