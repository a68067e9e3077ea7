import { readdirSync, readFileSync } from 'node:fs';

/** /proc counts in ticks of 10 ms for every program, whatever the kernel's own clock does. */
const tickMs = 10;

/** Milliseconds of CPU, user and system, of a process, its descendants, and those of them that have ended. */
export function cpuMsOf(processId: number): number {
  return familyOf(processId).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** KB of memory of a process and its descendants; a page that n processes share counts 1/n for each (PSS). */
export function memoryKbOf(processId: number): number {
  return familyOf(processId).reduce((sum, { id }) => sum + memoryKb(id), 0);
}

interface Member {
  readonly id: number;
  readonly parentId: number;
  /** Its own, and that of children that it has waited for. */
  readonly cpuMs: number;
}

function familyOf(processId: number): Member[] {
  const all = namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => memberOf(Number(name)));
  const family = all.filter(({ id }) => id === processId);
  // Grows while it is walked: children of children come in behind their parents.
  for (const member of family) family.push(...all.filter(({ parentId }) => parentId === member.id));
  return family;
}

/** Nothing where the process has ended meanwhile. */
function memberOf(id: number): Member[] {
  const stat = read(`/proc/${id}/stat`);
  if (stat === undefined) return [];
  // The name in parentheses may hold anything, so the fields are counted from behind it: proc(5).
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  const ownMs = Math.max(threadsMs(id), (user + system) * tickMs);
  return [{ id, parentId: fields[1] ?? 0, cpuMs: ownMs + (childrenUser + childrenSystem) * tickMs }];
}

/** The threads that a process has now are known to the nanosecond, where the kernel keeps such accounts. */
function threadsMs(id: number): number {
  return namesIn(`/proc/${id}/task`)
    .map((thread) => Number(read(`/proc/${id}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);
}

function memoryKb(id: number): number {
  const rollup = read(`/proc/${id}/smaps_rollup`) ?? '';
  return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1] ?? 0);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
