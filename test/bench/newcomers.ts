import { setTimeout as delay } from 'node:timers/promises';

import { start } from './servers.ts';
import * as sessions from './sessions.ts';
import { clear, idleUsersOf, makeSite } from './site.ts';
import type { Figure, Seat } from './workloads.ts';

/**
 * How long one waits from PASS to +OK for whom no process is there: one that waits becomes his. Each is somebody else, and by the time that he
 * comes there is one again that waits. Nothing for servers without processes of users.
 */
export async function newcomers({ contender, site, scale, stock, owner, round }: Seat): Promise<Figure[]> {
  if (contender.uids === undefined) return [];
  const everybodyHisOwn = { ...contender, uids: 1_000_000 };
  const own = makeSite(`${site.folder}-new-${round}`, idleUsersOf(scale), {
    contender: everybodyHisOwn,
    owner,
  });
  const mailboxes = stock.idleMailboxes(own).slice(0, scale.newcomers);
  const running = await start(everybodyHisOwn, own);
  const waitsMs: number[] = [];
  const session = sessions.timedLogin((ms) => waitsMs.push(ms));
  try {
    for (const mailbox of mailboxes) {
      await delay(spareMs);
      await session(running.port, mailbox);
    }
    return waitFigures('PASS to its +OK, of a user without a process', waitsMs);
  } finally {
    await running.stop();
    clear(mailboxes);
  }
}

/** So long, in milliseconds, it takes at most until another process waits. */
const spareMs = 1000;

/** Of how long one waited each time. */
export function waitFigures(title: string, waitsMs: readonly number[]): Figure[] {
  const sorted = waitsMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
  return [
    { title, unit: 'ms, median', better: 'less', value: at(0.5) },
    { title, unit: 'ms, 99 of 100 are below', better: 'less', value: at(0.99) },
  ];
}
