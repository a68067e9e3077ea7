import { readdir, readFile, readlink } from 'node:fs/promises';

import type { LockLook } from '../session-locks.ts';
import type { LockHolder } from './messages.ts';

/**
 * The processes that hold this OFD lock. The kernel names no owner of one (F_OFD_GETLK answers -1), but it shows each
 * process's own locks below /proc, to root and to processes of the same user; others stay unseen.
 */
export async function holdersOf(look: LockLook): Promise<readonly LockHolder[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const holders: LockHolder[] = [];
  for (const pid of pids) {
    if (await holds(pid, look)) holders.push({ pid: Number(pid), title: await titleOf(pid) });
  }
  return holders;
}

async function holds(pid: string, { file, octet }: LockLook): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => undefined);
    if (target !== file) continue;
    const facts = await readFile(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8').catch(() => '');
    // lock:	1: OFDLCK ADVISORY  WRITE -1 fe:00:2146371 START END
    if (new RegExp(`^lock:.* OFDLCK .* ${octet} ${octet}$`, 'm').test(facts)) return true;
  }
  return false;
}

async function titleOf(pid: string): Promise<string> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.replaceAll('\0', ' ').trim().slice(0, 200);
}
