import type { ChildProcess } from 'node:child_process';

/** How a child process came to its end. */
export interface Ending {
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Why it was never there. */
  readonly error?: Error;
}

/** Resolves when it has ended, in whatever way. */
export function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ ...(exitCode !== null && { exitCode }), ...(signal !== null && { signal }) });
    });
    // Of one that is there it says that something could not be sent to it.
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ error });
    });
  });
}

/** For an operator: `exit code 1`, `SIGKILL`. */
export const told = ({ exitCode, signal, error }: Ending): string =>
  error?.message ?? (signal === undefined ? `exit code ${exitCode}` : signal);
