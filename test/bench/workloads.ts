import { setTimeout as delay } from 'node:timers/promises';

import { idle } from './idle.ts';
import { type Done, type Load, put } from './load.ts';
import { random } from './mail.ts';
import type { Mailbox } from './mailbox.ts';
import { newcomers, waitFigures } from './newcomers.ts';
import type { Owner } from './places.ts';
import { cpuMsOf } from './processes.ts';
import type { Scale } from './scale.ts';
import type { Contender, Running, Site } from './servers.ts';
import * as sessions from './sessions.ts';
import { clear, type Stock } from './site.ts';

/** One server in one round, ready to be put to work. */
export interface Seat {
  readonly contender: Contender;
  readonly running: Running;
  readonly site: Site;
  /** Of the mail of all servers. */
  readonly owner: Owner;
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
  /** Undefined for what is no merit of the server. */
  readonly better: 'more' | 'less' | undefined;
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
    run: async (seat) => fetchFigures('all mail, again', await measureKnown(seat, sessions.fetchAll)),
  },
  {
    name: 'pipelined',
    run: async (seat) =>
      fetchFigures('all mail, 16 RETR in one segment', await measureKnown(seat, sessions.fetchPipelined)),
  },
  {
    name: 'big',
    run: async (seat) => {
      const title = `messages of ${seat.scale.bigOctets / 1e6} MB, one client`;
      const load = { clients: 1, durationMs: seat.scale.durationMs };
      const measured = await measureKnown({ ...seat, mailboxes: [seat.big] }, sessions.fetchAll, load);
      return fetchFigures(title, measured).filter(({ unit }) => unit !== cpuOfSession);
    },
  },
  {
    name: 'login',
    run: async (seat) => sessionFigures('login, STAT, QUIT', await measureKnown(seat, sessions.look)),
  },
  { name: 'password', run: password },
  { name: 'newcomers', run: newcomers },
  { name: 'uidl', run: async (seat) => sessionFigures('UIDL', await measureKnown(seat, sessions.listUids)) },
  {
    name: 'top',
    run: async (seat) => sessionFigures('TOP n 0 of all', await measureKnown(seat, sessions.lookAtTops)),
  },
  {
    name: 'mixed',
    run: async (seat) =>
      sessionFigures('0-2 new messages, 1 in 10 deletes old ones', await measureKnown(seat, mixedOf(seat))),
  },
  {
    name: 'drain',
    run: async (seat) => {
      const measured = await measureKnown(seat, sessions.drain, once(seat));
      for (const mailbox of seat.mailboxes.slice(0, 3)) await sessions.look(seat.running.port, mailbox);
      return sessionFigures('RETR and DELE of all', measured);
    },
  },
  { name: 'huge', run: huge },
  { name: 'idle', run: idle },
];

interface Measured extends Done {
  readonly cpuMs: number;
  /** What the clients used. */
  readonly clientCpuMs: number;
}

const once = ({ scale }: Pick<Seat, 'scale'>): Load => ({ clients: scale.clients });

async function measure(seat: Seat, session: sessions.Session, load: Load = seat.scale): Promise<Measured> {
  const { running, mailboxes } = seat;
  const before = cpuMsOf(running.processId);
  const clientBefore = process.cpuUsage();
  const done = await put(load, mailboxes, (mailbox) => session(running.port, mailbox));
  const { user, system } = process.cpuUsage(clientBefore);
  // Processes that end with their session do so after the client has gone.
  await delay(100);
  return { ...done, cpuMs: cpuMsOf(running.processId) - before, clientCpuMs: (user + system) / 1000 };
}

/**
 * With mailboxes that the server has seen and whose unique-ids the client knows. Otherwise the figure would tell of both
 * kinds of session, in a proportion that depends on how many there are in the time, and on which workloads went before.
 */
async function measureKnown(seat: Seat, session: sessions.Session, load?: Load): Promise<Measured> {
  const unknown = seat.mailboxes.filter(({ isKnown }) => !isKnown);
  await put(once(seat), unknown, (mailbox) => sessions.listUids(seat.running.port, mailbox));
  return measure(seat, session, load);
}

/**
 * A daemon runs for months: what it does in its first seconds, while code is compiled and caches are filled, is no
 * measure. The mail is gone afterwards.
 */
export async function warmUp(seat: Omit<Seat, 'big'>): Promise<void> {
  const { running, mailboxes, scale } = seat;
  const { fetchAll, look, fetchPipelined, lookAtTops, drain } = sessions;
  const run = (session: sessions.Session, load: Load): Promise<Done> =>
    put(load, mailboxes, (mailbox) => session(running.port, mailbox));
  for (const session of [look, fetchAll]) await run(session, once(seat));
  for (const session of [look, fetchPipelined, lookAtTops, mixedOf(seat)])
    await run(session, { clients: scale.clients, durationMs: warmUpTurns * scale.durationMs });
  await run(drain, once(seat));
}

/** Of each load. Where eight processes share the sessions, each of them has seen some hundreds by then. */
const warmUpTurns = 5;

const cpuOfSession = 'CPU ms a session';

const sessionFigures = (title: string, measured: Measured): Figure[] => [
  { title, unit: 'sessions/s', better: 'more', value: (measured.sessions * 1000) / measured.wallMs },
  ...cpuFigures(title, measured),
];

const fetchFigures = (title: string, measured: Measured): Figure[] => [
  { title, unit: 'MB/s', better: 'more', value: measured.octets / 1000 / measured.wallMs },
  ...cpuFigures(title, measured),
  { title, unit: 'CPU s/GB', better: 'less', value: (measured.cpuMs * 1e6) / measured.octets },
];

const cpuFigures = (title: string, { sessions: count, cpuMs, clientCpuMs }: Measured): Figure[] => [
  { title, unit: cpuOfSession, better: 'less', value: cpuMs / count },
  { title, unit: "clients' CPU ms a session", better: undefined, value: clientCpuMs / count },
];

/** How long one client waits from PASS to its +OK: with nobody else there, it is the server's delay and not its queue. */
async function password(seat: Seat): Promise<Figure[]> {
  const waitsMs: number[] = [];
  const session = sessions.timedLogin((ms) => waitsMs.push(ms));
  await measureKnown(seat, session, { clients: 1, durationMs: seat.scale.durationMs });
  return waitFigures('PASS to its +OK, one client', waitsMs);
}

/** Users who leave their mail on the server: most find little or nothing new; now and then the oldest is deleted. */
function mixedOf({ stock, scale, round }: Pick<Seat, 'stock' | 'scale' | 'round'>): sessions.Session {
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
    clear([mailbox]);
  }
}

async function afterDeliveries(seat: Seat, mailbox: Mailbox): Promise<Measured> {
  const all = { sessions: 0, octets: 0, wallMs: 0, cpuMs: 0, clientCpuMs: 0 };
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
