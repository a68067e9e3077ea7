import { readFile } from 'node:fs/promises';

/** Of a session: its socket, its mailbox, and what stands beside it. */
const each = 3;
/** For listening sockets, logs, locks, plugins, and clients who are being told why they cannot come in. */
const reserve = 160;

/** How many connections a process can have open that may open so many files: 1 or more. */
export const capacityOf = (openFiles: number): number =>
  Math.max(1, Math.floor((openFiles - reserve) / each));

/** How many files a process must be allowed to open for so many connections. */
export const openFilesFor = (connections: number): number => connections * each + reserve;

/** How many files this process may open; Infinity where the system does not tell. Node has raised it as far as it may by now. */
export async function maxOpenFiles(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'latin1').catch(() => '');
  const [, soft] = /^Max open files +([0-9]+) /m.exec(limits) ?? [];
  return soft === undefined ? Infinity : Number(soft);
}
