import { readdirSync, readFileSync } from 'node:fs';

/** As whom a process acts. */
export interface Rights {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, in any order. */
  readonly groups: readonly number[];
}

/**
 * What speaks against it that this process acts as this user in every thread, can do nothing a user cannot, and has no
 * way back. undefined where nothing does.
 */
export function complaintAboutRights(rights: Rights): string | undefined {
  for (const thread of readdirSync('/proc/self/task')) {
    const status = statusOf(thread);
    const complaint = status === undefined ? undefined : complaintAboutThread(status, rights);
    if (complaint !== undefined) return `thread ${thread} has ${complaint}`;
  }
  return complaintAboutReturn();
}

/** The same of a process that was started as whoever it is to be, and is to be in one group and not root. */
export function complaintAboutStart(): string | undefined {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  return uid === 0 ? 'the rights of root' : complaintAboutRights({ uid, gid, groups: [] });
}

/** The same for one thread, by its `status` file (proc(5)). */
export function complaintAboutThread(status: string, { uid, gid, groups }: Rights): string | undefined {
  const fields = new Map(status.split('\n').map((line) => fieldOf(line)));
  // Real, effective, saved, and that of the file system.
  if (fields.get('Uid') !== fourTimes(uid)) return `uids ${fields.get('Uid')}`;
  if (fields.get('Gid') !== fourTimes(gid)) return `gids ${fields.get('Gid')}`;
  if (sorted(fields.get('Groups')?.split(' ')) !== sorted(groups)) return `groups ${fields.get('Groups')}`;
  const capable = capabilities.find((name) => !/^0+$/.test(fields.get(name) ?? ''));
  return capable === undefined ? undefined : `capabilities, ${capable} ${fields.get(capable)}`;
}

/** The bounding set is left: it gives nothing to one who has nothing and executes nothing. */
const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'];

/** A thread may have ended since it was listed. */
function statusOf(thread: string): string | undefined {
  try {
    return readFileSync(`/proc/self/task/${thread}/status`, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(String(error.code)))
      return undefined;
    throw error;
  }
}

function fieldOf(line: string): readonly [string, string] {
  const [name = '', ...words] = line.split(/\s+/);
  return [name.slice(0, -1), words.filter((word) => word !== '').join(' ')];
}

const fourTimes = (id: number): string => `${id} ${id} ${id} ${id}`;

const sorted = (groups: readonly (string | number)[] = []): string =>
  [...new Set(groups.map(String))]
    .filter((group) => group !== '')
    .toSorted()
    .join(' ');

/** The kernel's word in a file is one thing, its deed another: try every way back. */
function complaintAboutReturn(): string | undefined {
  const waysBack: readonly (readonly [string, () => void])[] = [
    ['setuid', () => process.setuid?.(0)],
    ['seteuid', () => process.seteuid?.(0)],
    ['setgid', () => process.setgid?.(0)],
    ['setegid', () => process.setegid?.(0)],
    ['setgroups', () => process.setgroups?.([0])],
  ];
  const open = waysBack.find(([, tryIt]) => succeeds(tryIt));
  return open && `${open[0]}(0) still works`;
}

function succeeds(tryIt: () => void): boolean {
  try {
    tryIt();
    return true;
  } catch {
    return false;
  }
}
