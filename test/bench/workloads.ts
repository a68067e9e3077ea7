import { setTimeout as delay } from 'node:timers/promises';

import { type Done, type Load, put } from './load.ts';
import { random } from './mail.ts';
import type { Mailbox } from './mailbox.ts';
import { cpuMsOf, memoryKbOf } from './processes.ts';
import type { Scale } from './scale.ts';
import { type Contender, type Running, start } from './servers.ts';
import * as sessions from './sessions.ts';
import { makeSite, remove, type Stock } from './site.ts';

/** One server in one round, ready to be put to work. */
export interface Seat {
  readonly contender: Contender;
  readonly running: Running;
  readonly site: Parameters<Stock['mailboxes']>[0];
  readonly stock: Stock;
  readonly scale: Scale;
  readonly round: number;
  /** Of this round: nobody has logged in to them before it. */
  readonly mailboxes: readonly Mailbox[];
  readonly big: Mailbox;
}

/** What came out, in this unit. */
export interface Figure {
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly value: number;
}

export interface Workload {
  readonly name: string;
  run(seat: Seat): Promise<Figure[]>;
}

/** In the order in which they are run: the first one finds mail that no index knows, the drain leaves none. */
export const workloads: readonly Workload[] = [
  {
    name: 'first',
    run: async (seat) =>
      fetchFigures('all mail, first time', await measure(seat, sessions.fetchAll, once(seat))),
  },
  {
    name: 'fetch',
    run: async (seat) => fetchFigures('all mail, again', await measure(seat, sessions.fetchAll)),
  },
  {
    name: 'pipelined',
    run: async (seat) =>
      fetchFigures('all mail, 16 RETR in one segment', await measure(seat, sessions.fetchPipelined)),
  },
  {
    name: 'big',
    run: async (seat) => {
      const title = `messages of ${seat.scale.bigOctets / 1e6} MB, one client`;
      const load = { clients: 1, durationMs: seat.scale.durationMs };
      return fetchFigures(
        title,
        await measure({ ...seat, mailboxes: [seat.big] }, sessions.fetchAll, load),
      ).filter(({ unit }) => unit !== cpuOfSession);
    },
  },
  {
    name: 'login',
    run: async (seat) => sessionFigures('login, STAT, QUIT', await measure(seat, sessions.look)),
  },
  { name: 'uidl', run: async (seat) => sessionFigures('UIDL', await measure(seat, sessions.listUids)) },
  {
    name: 'top',
    run: async (seat) => sessionFigures('TOP n 0 of all', await measure(seat, sessions.lookAtTops)),
  },
  {
    name: 'mixed',
    run: async (seat) =>
      sessionFigures('0-2 new messages, 1 in 10 deletes old ones', await measure(seat, mixedOf(seat))),
  },
  {
    name: 'drain',
    run: async (seat) => {
      const measured = await measure(seat, sessions.drain, once(seat));
      for (const mailbox of seat.mailboxes.slice(0, 3)) await sessions.look(seat.running.port, mailbox);
      return sessionFigures('RETR and DELE of all', measured);
    },
  },
  { name: 'huge', run: huge },
  { name: 'idle', run: idle },
];

interface Measured extends Done {
  readonly cpuMs: number;
}

const once = ({ scale }: Seat): Load => ({ clients: scale.clients });

async function measure(seat: Seat, session: sessions.Session, load: Load = seat.scale): Promise<Measured> {
  const { running, mailboxes } = seat;
  const before = cpuMsOf(running.processId);
  const done = await put(load, mailboxes, (mailbox) => session(running.port, mailbox));
  // Processes that end with their session do so after the client has gone.
  await delay(100);
  return { ...done, cpuMs: cpuMsOf(running.processId) - before };
}

const cpuOfSession = 'CPU ms a session';

const sessionFigures = (title: string, { sessions: count, wallMs, cpuMs }: Measured): Figure[] => [
  { title, unit: 'sessions/s', better: 'more', value: (count * 1000) / wallMs },
  { title, unit: cpuOfSession, better: 'less', value: cpuMs / count },
];

const fetchFigures = (title: string, { sessions: count, octets, wallMs, cpuMs }: Measured): Figure[] => [
  { title, unit: 'MB/s', better: 'more', value: octets / 1000 / wallMs },
  { title, unit: cpuOfSession, better: 'less', value: cpuMs / count },
  { title, unit: 'CPU s/GB', better: 'less', value: (cpuMs * 1e6) / octets },
];

/** Users who leave their mail on the server: most find little or nothing new; now and then the oldest is deleted. */
function mixedOf({ stock, scale, round }: Seat): sessions.Session {
  const next = random(`mixed ${round}`);
  const delivered = new Map<Mailbox, number>();
  const tidying = sessions.fetchNew(scale.messagesOfUser);
  const leaving = sessions.fetchNew();
  return (port, mailbox) => {
    const already = delivered.get(mailbox) ?? 0;
    const count = Math.floor(next() * 3);
    delivered.set(mailbox, already + count);
    if (count > 0)
      mailbox.deliver(Array.from({ length: count }, (_, index) => stock.delivery(already + index)));
    return next() < 0.1 ? tidying(port, mailbox) : leaving(port, mailbox);
  };
}

/** Opening a mailbox with very many messages: never seen before, unchanged, and after mail has come in. */
async function huge(seat: Seat): Promise<Figure[]> {
  const { stock, scale, site, round } = seat;
  const mailbox = stock.hugeMailbox(site, round);
  try {
    const alone = { ...seat, mailboxes: [mailbox] };
    const title = (when: string): string => `login, STAT, QUIT with ${scale.hugeMessages} messages, ${when}`;
    const first = await measure(alone, sessions.look, { clients: 1 });
    const again = await measure(alone, sessions.look, { clients: 1, durationMs: scale.durationMs / 4 });
    const after = await afterDeliveries(alone, mailbox);
    return [
      ...openFigures(title('first time'), first),
      ...openFigures(title('again'), again),
      ...openFigures(title('after a delivery'), after),
    ];
  } finally {
    remove([mailbox]);
  }
}

async function afterDeliveries(seat: Seat, mailbox: Mailbox): Promise<Measured> {
  const all = { sessions: 0, octets: 0, wallMs: 0, cpuMs: 0 };
  for (let index = 0; index < seat.scale.hugeDeliveries; index += 1) {
    mailbox.deliver([seat.stock.delivery(2 * index), seat.stock.delivery(2 * index + 1)]);
    const { wallMs, cpuMs } = await measure(seat, sessions.look, { clients: 1 });
    all.sessions += 1;
    all.wallMs += wallMs;
    all.cpuMs += cpuMs;
  }
  return all;
}

const openFigures = (title: string, { sessions: count, wallMs, cpuMs }: Measured): Figure[] => [
  { title, unit: 'ms', better: 'less', value: wallMs / count },
  { title, unit: 'CPU ms', better: 'less', value: cpuMs / count },
];

/** What a session costs that is logged in and silent; in a server of its own, whose memory nothing else has stirred. */
async function idle({ contender, site, scale, stock }: Seat): Promise<Figure[]> {
  const own = makeSite(`${site.folder}-idle`, scale, site.owner);
  const mailboxes = stock.idleMailboxes(own);
  const running = await start(contender, own);
  const { port, processId } = running;
  try {
    for (const mailbox of mailboxes.slice(0, 20)) await sessions.look(port, mailbox);
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
    ];
  } finally {
    await running.stop();
    remove(mailboxes);
  }
}

async function open(port: number, mailboxes: readonly Mailbox[]) {
  const clients: Awaited<ReturnType<typeof sessions.stay>>[] = [];
  await put({ clients: 8 }, mailboxes, async (mailbox) => {
    clients.push(await sessions.stay(port, mailbox));
    return 0;
  });
  return clients;
}
