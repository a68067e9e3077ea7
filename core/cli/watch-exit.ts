import type { DaemonLog } from '../log/pino-log.ts';
import { exitCode as ours } from './exit-code.ts';

/** Node's own, where an `await` of a program can never end. */
const nothingLeft = 13;

/**
 * A plugin may end the process; then its stack is the only trace of whose doing it was, and its exit code is no success: whoever
 * restarts what has failed is to restart it. Gives what is to be called when the end is meant.
 */
export function watchExit(log: DaemonLog): () => void {
  const onExit = (exitCode: number): void => {
    if (exitCode === ours.done) process.exitCode = ours.problems;
    const error = new Error(
      exitCode === nothingLeft ? 'nothing was left to wait for' : 'process.exit was called',
    );
    log.fatal('something ended the process', { exitCode, error });
  };
  process.on('exit', onExit);
  return () => process.off('exit', onExit);
}
