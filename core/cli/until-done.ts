import type { DaemonLog } from '../log/pino-log.ts';
import { exitCode } from './exit-code.ts';
import { endProcess, watchExit } from './watch-exit.ts';

/**
 * Runs what a process is for that stands behind fronts, and gives the exit code. The master alone ends it, whom a service manager's
 * SIGTERM to all of its processes reaches, too. An error that nobody caught ends it at once: it has few sessions or none.
 */
export async function untilDone(log: DaemonLog, work: () => Promise<void>): Promise<number> {
  const exitIsExpected = watchExit(log);
  process.on('SIGTERM', () => {});
  process.on('uncaughtException', (error, origin) => {
    log.fatal('an error that nobody caught', { error, origin });
    endProcess(exitCode.problems);
  });
  try {
    await work();
    return exitCode.done;
  } finally {
    exitIsExpected();
  }
}
