import type { DaemonLog } from '../log/pino-log.ts';
import { watchForBlocks } from '../server/front/block-watch.ts';
import type { Configured } from './configure.ts';

/**
 * Has the log told where this process blocks, if it does. Half of the time is enough to tell a block by; in what is left, before the
 * master ends the process, it is looked at.
 */
export function tellBlocks({ log, config }: Configured<DaemonLog>): void {
  const { level, format } = config.log;
  watchForBlocks({
    afterMs: config.settings.blockedTimeoutMs / 2,
    log: { level, format: format === 'auto' && process.stderr.isTTY ? 'pretty' : format },
    failed: (error) => log.warn('where this process blocks, if it does, will not be known', { error }),
  });
}
