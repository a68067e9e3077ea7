import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import type { Logger } from '../../log/logger.ts';
import { isLeaving } from '../process-title.ts';
import { shownBy } from './shown-by.ts';

const stateVariable = 'POPPER_STATE_OF';
const masterVariable = 'POPPER_MASTER';
/** The master's end reaches a process with the next turn of its event loop. In milliseconds, as the next. */
const noticeMs = 3000;
const pollMs = 50;

/** By these variables a process is known as one of this master's, and of the daemons over this `stateDir`. */
export const marksOf = (stateDir: string): NodeJS.ProcessEnv => ({
  [stateVariable]: stateDir,
  [masterVariable]: String(process.pid),
});

/** What this process starts itself is none of them. Whoever looks sees what it was started with. */
export function dropMarks(): void {
  for (const name of [stateVariable, masterVariable]) delete process.env[name];
}

/**
 * Ends what the processes of a daemon over this `stateDir` have become that was killed, and that have not noticed it, for they
 * block: they hold its ports, and the maildrops of their users. Those that take their leave are let. Resolves when none is in the way.
 */
export async function endOrphans(stateDir: string, log: Logger): Promise<void> {
  const endAtMs = performance.now() + noticeMs;
  let blocked = blockedOrphansOf(stateDir, processes());
  while (blocked.length > 0 && performance.now() < endAtMs) {
    await delay(pollMs);
    // Whoever has become one since has its own time, at the next start.
    blocked = blockedOrphansOf(stateDir, blocked);
  }
  for (const pid of blocked) {
    log.warn('a process of an earlier daemon blocks, so it is ended', { child: pid, shown: shownBy(pid) });
    end(pid);
  }
  // Their files are closed with the last of their threads; a name without a process may stay, where nobody takes it away.
  const goneAtMs = performance.now() + noticeMs;
  while (blocked.some(isThere) && performance.now() < goneAtMs) await delay(pollMs);
}

const blockedOrphansOf = (stateDir: string, pids: readonly number[]): readonly number[] =>
  pids.filter((pid) => isOrphanOf(pid, stateDir) && !isLeaving(shownBy(pid)));

/** None where the system has no such folder: there, nothing is known of others. */
function processes(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** Whether the master that started this one is no more. */
function isOrphanOf(pid: number, stateDir: string): boolean {
  const started = startedWith(pid);
  if (!started.includes(`${stateVariable}=${stateDir}`) || !isOfOurs(pid)) return false;
  const parent = /^PPid:\t(\d+)$/m.exec(textOf(pid, 'status'))?.[1];
  if (parent === undefined || started.includes(`${masterVariable}=${parent}`)) return false;
  // One that such a process has begun, and that is nothing else yet, was started with the same.
  return !startedWith(Number(parent)).includes(`${stateVariable}=${stateDir}`);
}

/** Those of a container count by numbers of their own, and know a folder of the same name that is another. */
const isOfOurs = (pid: number): boolean =>
  ['pid', 'mnt'].every(
    (kind) => spaceOf(pid, kind) !== undefined && spaceOf(pid, kind) === spaceOf('self', kind),
  );

/** Undefined where it may not be looked at, or the system has none. */
function spaceOf(pid: number | 'self', kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

const isThere = (pid: number): boolean => textOf(pid, 'status') !== '';

/** The variables. */
const startedWith = (pid: number): readonly string[] => textOf(pid, 'environ').split('\0');

/** Empty where it has ended, or is none of our business. */
function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
