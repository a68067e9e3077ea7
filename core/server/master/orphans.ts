import { readdirSync, readFileSync } from 'node:fs';
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
  const giveUpAtMs = performance.now() + noticeMs;
  let blocked = blockedOrphansOf(stateDir);
  while (blocked.length > 0 && performance.now() < giveUpAtMs) {
    await delay(pollMs);
    blocked = blockedOrphansOf(stateDir);
  }
  for (const pid of blocked) {
    log.warn('a process of an earlier daemon blocks, so it is ended', { child: pid, shown: shownBy(pid) });
    end(pid);
  }
  // Their files are closed with the last of their threads; a name without a process may stay, where nobody takes it away.
  const goneAtMs = performance.now() + noticeMs;
  while (blocked.some(isThere) && performance.now() < goneAtMs) await delay(pollMs);
}

const blockedOrphansOf = (stateDir: string): readonly number[] =>
  processes().filter((pid) => isOrphanOf(pid, stateDir) && !isLeaving(shownBy(pid)));

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
  const started = textOf(pid, 'environ').split('\0');
  if (!started.includes(`${stateVariable}=${stateDir}`)) return false;
  const parent = /^PPid:\t(\d+)$/m.exec(textOf(pid, 'status'))?.[1];
  return parent !== undefined && !started.includes(`${masterVariable}=${parent}`);
}

const isThere = (pid: number): boolean => textOf(pid, 'status') !== '';

/** Empty where it has ended, or is none of our business. */
function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
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
