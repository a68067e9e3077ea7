// Over 250 lines: what is still root and what it is from then on are told in one place.
import type { KeyObject } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import type { Core } from '../../core.ts';
import { err, firstLine } from '../../protocol/reply.ts';
import type { Ticket } from '../../session/authority.ts';
import type { SessionTally } from '../../session/session-tally.ts';
import { traced } from '../../session/traced-channel.ts';
import { transact } from '../../session/transact.ts';
import { SocketChannel } from '../channel.ts';
import { OpenSessions } from '../open-sessions.ts';
import type { State } from '../state.ts';
import type { Account } from './account.ts';
import { LockerClient } from './locker-client.ts';
import { MasterLink, type MasterEnd } from './master-link.ts';
import { makeOwnFolder } from './own-folder.ts';
import { becomeUser } from './privileges.ts';
import { TicketGate } from './ticket-gate.ts';
import { accountKeyOf, keyToldAs, monotonicMs, newKey, openTicket, sealTicket } from './ticket.ts';
import type { WorkerOutcome } from './user-authority.ts';
import { answerOf, type Octets } from './worker-answers.ts';
import {
  type StalledSession,
  type WorkerOrder,
  workerOrderSchema,
  type WorkerReport,
} from './worker-messages.ts';
import { WorkerTitle } from './worker-title.ts';

type OrderOf<Kind extends WorkerOrder['kind']> = Extract<WorkerOrder, { kind: Kind }>;

export interface WorkerOptions {
  readonly core: Core;
  readonly stateDir: string;
  readonly state: Pick<State, 'lockOf'>;
  /** No user with a uid below it. */
  readonly minUid: number;
  /** Milliseconds that a session may have waited for this process to serve it. */
  readonly lateMs: number;
  /** Milliseconds without a session after which a worker offers its end. */
  readonly idleMs: number;
}

/**
 * A process that runs sessions of one user, as that user. It has loaded everything and waits, as root, to be told whom to
 * become; then it gives up root, and serves each stream that the master gives it for its user. Resolves when it is to
 * exit. Throws where plugins do not start, or cannot redo what a dead process has left.
 */
export async function runWorker(end: MasterEnd, options: WorkerOptions): Promise<void> {
  const { core, stateDir, minUid } = options;
  const orders = z.compile(workerOrderSchema);
  const master = new MasterLink<WorkerOrder, WorkerReport>(end, orders);
  const title = new WorkerTitle(core.pluginsAtWork);
  const locker = new LockerClient();
  // All in the turn in which the order comes: the next order is for the user's process.
  const begun = afterOrder(master, (order) => {
    makeOwnFolder(stateDir, order);
    if (order.kind === 'rehearse') return rehearseAs(order, title);
    becomeUser(order, { minUid });
    if (order.hasLocker === true) core.spoolLocks.takenBy(locker);
    return new Worker(order, { ...options, master, title, locker });
  });
  warmUp(orders);
  master.tell({ kind: 'spare' });
  // Where the master is gone before anybody came, there is nothing to be.
  const worker = await Promise.race([begun, master.gone]);
  if (worker === undefined) return;
  try {
    const beginning = core.hooks.start.promise('worker').then(() => worker.recover());
    // A plugin that hangs is not to outlive its master; what is redone by half is redone by the next.
    await Promise.race([beginning, master.gone]);
    master.tell({ kind: 'ready' });
    await worker.run();
  } finally {
    await core.hooks.stop.promise('worker');
  }
}

/** Code is made ready when it is first used: not while a client waits. */
function warmUp(orders: z.ZodType<WorkerOrder>): void {
  const facts = { id: '0', peer: nobody, local: nobody, secure: false };
  const key = newKey();
  const sealed = { identity: { user: 'nobody', uid: 0, gid: 0, home: '/' }, facts: {} };
  const ticket = sealTicket(sealed, facts.id, { key, nowMs: monotonicMs() });
  openTicket(ticket, (account) => [accountKeyOf(account, key)], { nowMs: monotonicMs() });
  orders.parse({ kind: 'serve', ticket, facts, lent: true });
}

/** Whoever is asked to serve before it has become somebody is no worker but root. */
function afterOrder(
  master: MasterLink<WorkerOrder, WorkerReport>,
  begin: (order: OrderOf<'become' | 'rehearse'>) => Begun,
): Promise<Begun | undefined> {
  return new Promise((resolve, reject) => {
    const obey = (order: WorkerOrder): void => {
      if (order.kind === 'become' || order.kind === 'rehearse') resolve(begin(order));
      else if (order.kind === 'retire' || order.kind === 'stop') resolve(undefined);
      else throw new Error(`a spare was told to ${order.kind}`);
    };
    master.ordered = (order, stream) => {
      stream?.destroy();
      try {
        obey(order);
      } catch (error) {
        reject(error);
      }
    };
  });
}

interface Surroundings extends WorkerOptions {
  readonly master: MasterLink<WorkerOrder, WorkerReport>;
  readonly title: WorkerTitle;
  readonly locker: LockerClient;
}

/** Whoever is to begin in the place of root. */
interface Begun {
  recover(): Promise<void>;
  /** Resolves when it is to end. */
  run(): Promise<void>;
}

/** Somebody who has no mail: what is tried is whether plugins start, and before there is anybody whom it would keep waiting. */
function rehearseAs(account: Account, title: WorkerTitle): Begun {
  becomeUser(account, { minUid: 1, mailGroup: true });
  title.idle(account.uid);
  return { recover: async () => {}, run: async () => {} };
}

/** The sessions of one user. */
class Worker implements Begun {
  readonly #user: OrderOf<'become'>;
  readonly #core: Core;
  readonly #master: Surroundings['master'];
  readonly #title: WorkerTitle;
  readonly #locker: LockerClient;
  /** Of this account: they check what auth has sealed for it, and nothing that is for another. */
  #keys: readonly KeyObject[];
  readonly #gate: TicketGate;
  readonly #state: WorkerOptions['state'];
  readonly #sessions = new OpenSessions();
  /** Those that have their client's connection, which the front takes back when it hears of their end. */
  readonly #lent = new Set<string>();
  readonly #over = Promise.withResolvers<void>();
  readonly #idle: NodeJS.Timeout;
  #isRetired = false;

  constructor(user: OrderOf<'become'>, surroundings: Surroundings) {
    const { core, state, master, title, locker, idleMs } = surroundings;
    this.#user = user;
    this.#keys = user.keys.map(keyToldAs);
    const isOwn = ({ uid, gid }: Account): boolean => uid === user.uid && gid === user.gid;
    this.#gate = new TicketGate((account) => (isOwn(account) ? this.#keys : []), surroundings);
    this.#core = core;
    this.#state = state;
    this.#master = master;
    this.#title = title;
    this.#locker = locker;
    this.#idle = setInterval(() => this.#offerEnd(), idleMs);
    this.#sessions.changed = () => this.#counted();
    title.idle(user.uid);
    setInterval(() => this.#tellAlive(), Math.min(mostSilentMs, core.settings.blockedTimeoutMs / 4)).unref();
    this.#tellAlive();
    master.ordered = (order, stream) => this.#obey(order, stream);
    void master.gone.then(() => {
      // Fronts let go of them, for they hear of no end any more.
      this.#lent.clear();
      return this.#stop();
    });
  }

  /** What a dead process of the user's has left half done. */
  async recover(): Promise<void> {
    await this.#core.hooks.recover.promise(this.#user.uid);
  }

  /** Resolves when the last session of a worker that retires, or is stopped, is over. */
  run(): Promise<void> {
    return this.#over.promise;
  }

  #obey(order: WorkerOrder, stream: Socket | undefined): void {
    switch (order.kind) {
      case 'become':
      case 'rehearse':
        throw new Error(`uid ${this.#user.uid} was told to ${order.kind}`);
      case 'trust':
        this.#keys = order.keys.map(keyToldAs);
        return undefined;
      case 'locker':
        return this.#meetLocker(stream);
      case 'serve':
        return this.#serve(order, stream);
      case 'end':
        return this.#end(order);
      case 'ask':
        return void this.#answer(order);
      case 'retire':
        return this.#retire();
      case 'stop':
        return void this.#stop();
    }
  }

  #meetLocker(stream: Socket | undefined): void {
    if (stream !== undefined) this.#locker.meet(stream);
  }

  #serve({ ticket: sealed, facts, lent }: OrderOf<'serve'>, stream: Socket | undefined): void {
    if (stream === undefined) return this.#refuse(facts.id, new Error('its stream was lost on the way'));
    stream.on('error', () => {});
    stream.allowHalfOpen = true;
    try {
      // The master has looked at it. But whoever makes a mistake there, or is taken over, has no other's mail opened here.
      const ticket = this.#gate.admit(sealed, facts.id);
      if (lent) this.#lent.add(facts.id);
      const channel = new SocketChannel(stream, facts, this.#core.settings);
      const run = (tally: SessionTally): Promise<void> => this.#run(channel, ticket, tally);
      const tally = this.#title.tally(ticket.identity.user, facts.peer.address);
      void this.#sessions.hold(channel, run, tally);
    } catch (error) {
      // One that was lent is its front's to close.
      stream.end(sorry, lent ? () => stream.destroy() : undefined);
      this.#refuse(facts.id, error);
    }
  }

  #refuse(session: string, error: unknown): void {
    this.#core.log.error('a session was not begun', { session, error });
    const failure = { code: undefined, reason: error instanceof Error ? error.message : String(error) };
    this.#tellEnded(session, { ending: 'failed', failure, ...nothing, isTorn: false, received: 0, sent: 0 });
  }

  #tellEnded(session: string, outcome: WorkerOutcome): void {
    const { ending, failure, retrieved, top, deleted, left, openMs, updateMs } = outcome;
    const { isTorn, received, sent } = outcome;
    const mail = { retrieved, top, deleted, left };
    const told = { ending, failure, ...mail, openMs, updateMs, isTorn, received, sent };
    this.#master.tell({ kind: 'ended', session, outcome: told });
  }

  /** TRANSACTION and UPDATE. Never throws. */
  async #run(socket: SocketChannel, ticket: Ticket, tally: SessionTally): Promise<void> {
    const core = this.#core;
    const { id, signal } = socket.facts;
    const channel = core.hooks.wire.isUsed() ? traced(socket, core, tally) : socket;
    try {
      await transact(channel, ticket, { core, tally });
    } catch (error) {
      // What breaks because the client is gone is not broken.
      if (!signal.aborted) {
        tally.failed(error);
        core.log.error('the session failed', { session: id, error });
      }
    }
    await (this.#lent.has(id) ? socket.giveBack() : socket.close());
    const { isTorn } = socket;
    socket.destroy();
    const { received, sent } = this.#octetsOf(socket);
    this.#lent.delete(id);
    this.#tellEnded(id, { ...tally.report(socket), isTorn, received, sent });
  }

  #octetsOf({ facts, received, sent }: SocketChannel): Octets {
    return this.#lent.has(facts.id) ? { received, sent } : throughRelay;
  }

  /** As long as the event loop turns. Of its clients the front sees nothing; it has to know who reads nothing where others find no place. */
  #tellAlive(): void {
    const stalled = [...this.#sessions.values()].flatMap(({ channel }) => stalledFor(channel));
    this.#master.tell({ kind: 'alive', stalled });
  }

  #end({ session, how }: OrderOf<'end'>): void {
    const channel = this.#sessions.get(session)?.channel;
    if (how === 'gone') channel?.destroy();
    else channel?.stop(how);
  }

  async #answer(question: OrderOf<'ask'>): Promise<void> {
    const asked = { sessions: this.#sessions, state: this.#state, log: this.#core.log };
    this.#master.tell(await answerOf(question, { ...asked, octetsOf: (channel) => this.#octetsOf(channel) }));
  }

  #retire(): void {
    this.#isRetired = true;
    if (this.#sessions.count === 0) this.#over.resolve();
  }

  async #stop(): Promise<void> {
    this.#retire();
    for (const { channel } of this.#sessions.values()) channel.stop();
    await delay(this.#core.settings.stopTimeoutMs, undefined, { ref: false });
    for (const { channel } of this.#sessions.values()) channel.destroy();
  }

  #counted(): void {
    const { count } = this.#sessions;
    if (count > 0) return this.#title.count(count);
    this.#title.idle(this.#user.uid);
    if (this.#isRetired) return this.#over.resolve();
    this.#idle.refresh();
  }

  /** The master has the last word: a session may be on its way here. */
  #offerEnd(): void {
    if (this.#sessions.count === 0) this.#master.tell({ kind: 'idle' });
  }
}

function stalledFor({ facts, stalledSinceMs }: SocketChannel): StalledSession[] {
  if (stalledSinceMs === undefined) return [];
  const forMs = Math.floor(performance.now() - stalledSinceMs);
  return forMs < worthTellingMs ? [] : [{ session: facts.id, forMs }];
}

/** Of a client who reads again, too, it is known so soon. */
const mostSilentMs = 2500;
/** Most clients who are waited for are only slow. */
const worthTellingMs = 10_000;
const nobody = { address: 'unix', port: 0 };
const none = { messages: 0, octets: 0 };
const nothing = { retrieved: none, top: none, deleted: none, left: none, openMs: 0, updateMs: 0 };
/** The front counts these. */
const throughRelay = { received: 0, sent: 0 };
const sorry = `${firstLine(err('the login came to nothing, try again', 'SYS/TEMP'))}\r\n`;
