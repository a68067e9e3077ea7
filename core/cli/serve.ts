import { messageOf } from '../config/error-facts.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { startDaemon } from '../server/daemon.ts';
import type { CliIo } from './cli-io.ts';
import { type Configured, configure } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { explain } from './explain.ts';
import { Shutdown } from './shutdown.ts';

/** Added to what stopping may take by the config, in milliseconds: for writing logs and the like. */
const lastWordsMs = 5000;

/** `popper serve`: serves until a signal ends it. Gives the exit code: 0 after a stop that was asked for. */
export async function serve(file: string | undefined, io: CliIo): Promise<number> {
  const { stderr, workingFolder } = io;
  try {
    const configured = await configure({
      file,
      workingFolder,
      openLog: ({ log }) => createLogger({ ...log, stream: stderr }),
    });
    return await run(configured, io);
  } catch (error) {
    return explain(error, stderr, workingFolder);
  }
}

async function run({ core, state, log, config }: Configured<DaemonLog>, { stderr }: CliIo): Promise<number> {
  const { stopTimeoutMs, hookDeadlineMs } = config.settings;
  const shutdown = new Shutdown(log, stopTimeoutMs + hookDeadlineMs + lastWordsMs);
  try {
    shutdown.started(await startDaemon(core, state));
  } catch (error) {
    shutdown.close();
    log.debug('cannot start', { error });
    stderr.write(`popper: cannot start: ${messageOf(error)}\n`);
    return exitCode.problems;
  }
  return shutdown.done;
}
