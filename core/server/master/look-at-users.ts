import { readFile } from 'node:fs/promises';

import { holdersOf } from '../control/lock-holders.ts';
import type { SessionEntry, Status, Unlocked } from '../control/messages.ts';
import type { WorkerProgress } from '../user/worker-messages.ts';
import type { WorkerProcess } from '../user/worker-process.ts';
import type { Users } from './users.ts';

type Progress = Omit<WorkerProgress, 'session' | 'activeMs'> & Pick<SessionEntry, 'activeAt'>;

const workersOf = (all: readonly Users[]): readonly WorkerProcess[] =>
  all.flatMap(({ pool }) => pool?.workers ?? []);

/** What workers' sessions are at, by their ids. */
export async function progressIn(all: readonly Users[]): Promise<ReadonlyMap<string, Progress>> {
  const answers = await Promise.all(workersOf(all).map((worker) => worker.progress()));
  return new Map(answers.flat().map((progress) => [progress.session, entryOf(progress)]));
}

/** A session as its front knows it, with what its worker knows, if it has one. */
export function withProgress(entry: SessionEntry, progress: Progress | undefined): SessionEntry {
  if (progress === undefined) return entry;
  const [received, sent] = [entry.received + progress.received, entry.sent + progress.sent];
  return { ...entry, ...progress, received, sent };
}

function entryOf(progress: WorkerProgress): Progress {
  const { state, command, activeMs, retrieved, marked, received, sent } = progress;
  const activeAt = new Date(Date.now() - activeMs).toISOString();
  return {
    state,
    ...(command !== undefined && { command }),
    activeAt,
    retrieved,
    marked,
    received,
    sent,
  };
}

/** The locks that sessions of this user have asked for in processes that run. The master may look at everybody's. */
export async function locksIn(
  all: readonly Users[],
  user: string,
): Promise<readonly Pick<Unlocked, 'lock' | 'holders'>[]> {
  const looks = await Promise.all(workersOf(all).map((worker) => worker.lockOf(user)));
  return Promise.all(
    looks
      .filter((look) => look !== undefined)
      .map(async (look) =>
        look.isHeld
          ? { lock: 'held' as const, holders: [...(await holdersOf(look))] }
          : { lock: 'free' as const, holders: [] },
      ),
  );
}

/** Undefined without `isolation: 'user'`. */
export function countWorkers(all: readonly Users[]): Status['workers'] {
  if (all.length === 0) return undefined;
  const spares = all.reduce((sum, { pool }) => sum + (pool?.spares ?? 0), 0);
  return { users: workersOf(all).length, spares };
}

/** What these processes have in memory. Those that have just ended have nothing. */
export async function residentOctetsOf(pids: readonly number[]): Promise<number> {
  const octets = await Promise.all(pids.map(residentOctets));
  return octets.reduce((sum, one) => sum + one, 0);
}

async function residentOctets(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const [, kibibytes = '0'] = /^VmRSS:\s+([0-9]+) kB$/m.exec(status) ?? [];
  return Number(kibibytes) * 1024;
}
