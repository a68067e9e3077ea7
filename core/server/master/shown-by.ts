import { readFileSync } from 'node:fs';

import { printableLine } from '../../log/sanitise.ts';

/** Far longer than a title can be; but it is written by a process that users may have taken over. */
const longestOctets = 256;

/** What `ps` shows of a process, which says what it is at and which plugin that is; empty where it is gone, or never was. */
export function shownBy(pid: number | undefined): string {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return printableLine(line, longestOctets);
  } catch {
    return '';
  }
}
