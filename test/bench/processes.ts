import { readdirSync, readFileSync } from 'node:fs';

/** /proc counts in this many ticks a second for every program, whatever the kernel's own clock does. */
const ticksPerSecond = 100;

/** Milliseconds of CPU, user and system, of a process, its descendants, and those of them that have ended. */
export function cpuMsOf(processId: number): number {
  const ticks = familyOf(processId).reduce((sum, member) => sum + member.ticks, 0);
  return (ticks * 1000) / ticksPerSecond;
}

/** KB of memory of a process and its descendants; a page that n processes share counts 1/n for each (PSS). */
export function memoryKbOf(processId: number): number {
  return familyOf(processId).reduce((sum, { id }) => sum + memoryKb(id), 0);
}

interface Member {
  readonly id: number;
  readonly parentId: number;
  /** Its own, and those of children that it has waited for. */
  readonly ticks: number;
}

function familyOf(processId: number): Member[] {
  const all = readdirSync('/proc')
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
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + field, 0);
  return [{ id, parentId: fields[1] ?? 0, ticks }];
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
