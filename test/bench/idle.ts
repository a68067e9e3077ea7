import { setTimeout as delay } from 'node:timers/promises';

import { put } from './load.ts';
import type { Mailbox } from './mailbox.ts';
import { memoryKbOf } from './processes.ts';
import { type Contender, start } from './servers.ts';
import * as sessions from './sessions.ts';
import { clear, idleUsersOf, makeSite } from './site.ts';
import type { Figure, Seat } from './workloads.ts';

/** What a session costs that is logged in and silent; in a server of its own, whose memory nothing else has stirred. */
export async function idle({ contender, site, scale, stock, owner, round }: Seat): Promise<Figure[]> {
  const own = makeSite(`${site.folder}-idle-${round}`, idleUsersOf(scale), { contender, owner });
  const mailboxes = stock.idleMailboxes(own);
  const running = await start(contender, own);
  const { port, processId } = running;
  try {
    const comers = mailboxes.slice(0, 20);
    const processes = await processesOf(contender, new Set(comers.map(({ user }) => own.ownerOf(user).uid)), {
      processId,
      come: async () => {
        for (const mailbox of comers) await sessions.look(port, mailbox);
      },
    });
    const before = memoryKbOf(processId);
    const clients = await open(port, mailboxes);
    await delay(1000);
    const grown = memoryKbOf(processId) - before;
    for (const client of clients) client.destroy();
    return [
      {
        title: `${scale.idleSessions} idle sessions`,
        unit: 'KB a session',
        better: 'less',
        value: grown / scale.idleSessions,
      },
      { title: 'no session', unit: 'MB', better: 'less', value: before / 1024 },
      ...processes,
    ];
  } finally {
    await running.stop();
    clear(mailboxes);
  }
}

/** What a user's own process takes, where users have one. */
async function processesOf(
  { uids }: Contender,
  comers: ReadonlySet<number>,
  { processId, come }: { readonly processId: number; readonly come: () => Promise<void> },
): Promise<Figure[]> {
  if (uids === undefined) {
    await come();
    return [];
  }
  // The spares that wait for the next user are there before and after.
  await delay(sparesMs);
  const before = memoryKbOf(processId);
  await come();
  await delay(sparesMs);
  const value = (memoryKbOf(processId) - before) / 1024 / comers.size;
  return [{ title: 'each process of a user', unit: 'MB', better: 'less', value }];
}

/** So long, in milliseconds, it takes at most until there are as many spares as there are to be. */
const sparesMs = 3000;

async function open(port: number, mailboxes: readonly Mailbox[]) {
  const clients: Awaited<ReturnType<typeof sessions.stay>>[] = [];
  await put({ clients: 8 }, mailboxes, async (mailbox) => {
    clients.push(await sessions.stay(port, mailbox));
    return 0;
  });
  return clients;
}
