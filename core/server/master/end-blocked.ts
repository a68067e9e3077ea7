import type { ChildProcess } from 'node:child_process';

/** So long a process may take to say which calls it is in, in milliseconds. */
const lastWordsMs = 1000;

/**
 * Ends a process that blocks: by the signal on which one that has no watcher within prints the calls that it is in (`start-process.ts`), and where
 * that comes to nothing (it waits for the system, or is stopped) by force.
 */
export function endBlocked(child: Pick<ChildProcess, 'kill'>): void {
  child.kill('SIGINT');
  setTimeout(() => child.kill('SIGKILL'), lastWordsMs);
}
