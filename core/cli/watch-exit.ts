import type { DaemonLog } from '../log/pino-log.ts';
import { exitCode as ours } from './exit-code.ts';

/** Node's own, where an `await` of a program can never end. */
const nothingLeft = 13;

type Told = Pick<DaemonLog, 'fatal'>;

/** Who would be told: of several only the last, whose log is the best there is by then. */
const told: Told[] = [];

/**
 * A plugin may end the process; then its stack is the only trace of whose doing it was, and its exit code is no success: whoever
 * restarts what has failed is to restart it. Gives what is to be called when the end is none of this log's business any more.
 */
export function watchExit(log: Told): () => void {
  const onExit = (exitCode: number): void => {
    if (told.at(-1) !== log) return;
    if (exitCode === ours.done) process.exitCode = ours.problems;
    const error = new Error(
      exitCode === nothingLeft ? 'nothing was left to wait for' : 'process.exit was called',
    );
    log.fatal('something ended the process', { exitCode, error });
  };
  told.push(log);
  process.on('exit', onExit);
  return () => {
    const index = told.lastIndexOf(log);
    if (index >= 0) told.splice(index, 1);
    process.off('exit', onExit);
  };
}

/**
 * The same from the first line of a program on, while plugins are loaded and there is no log yet. Of an error that nobody
 * caught Node tells by itself.
 */
export function watchExitFromStart(log: Told): void {
  const exitIsExpected = watchExit(log);
  process.once('uncaughtExceptionMonitor', exitIsExpected);
}

/** Ends the process, and means it. */
export function endProcess(exitCode: number): never {
  told.length = 0;
  process.exit(exitCode);
}
