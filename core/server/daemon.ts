import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Core } from '../core.ts';
import { type Logger, loggerTo } from '../log/logger.ts';
import { type Authority, inProcess } from '../session/authority.ts';
import type { ConnectionFacts } from '../session/channel.ts';
import { runSession } from '../session/run-session.ts';
import { tellNoTls } from '../session/start-tls.ts';
import type { Listen } from '../settings.ts';
import { SocketChannel } from './channel.ts';
import { type Door, Entrance, type Guest } from './entrance.ts';
import { withKnownUsers } from './known-users.ts';
import { listen, type Listener, type SharedSocket } from './listener.ts';
import { OpenSessions } from './open-sessions.ts';
import type { Place } from './places.ts';
import { Networks } from './proxy/networks.ts';
import { roomForSessions } from './room.ts';
import { StalledReaders } from './stalled-readers.ts';
import type { State } from './state.ts';
import { loginAdvice } from './tls/advice.ts';
import { ServedCertificate } from './tls/served-certificate.ts';

/** A daemon that serves. */
export interface Daemon {
  /** Where it listens, as bound: a port 0 has become a number. */
  readonly addresses: readonly string[];
  readonly sessions: OpenSessions;
  /** Reads the files of the certificate anew, for an operator who asks; that they change is noticed without. */
  renewCertificate(): Promise<void>;
  /** Tells it how many connections other processes have, since the limit in all is for all of them. */
  countElsewhere(connections: number): void;
  /** No new clients; resolves when the last one that is there has left by itself. `stop` is still to be called. */
  drain(): Promise<void>;
  /**
   * Ends it: no new clients, idle sessions end without UPDATE, commands at work are finished within `stopTimeoutMs`,
   * then plugins stop. A second call ends it at once.
   */
  stop(): Promise<void>;
}

/** What a daemon is to do in its process: all of it, alone, or a front's part under a master. */
export interface Part {
  readonly role: 'all' | 'front';
  /** Whether dead processes may have left something half done. */
  readonly recovers: boolean;
  /** Whether it tells plugins that the ports are open. */
  readonly announces: boolean;
  /** In the order of `listen`; without them it opens its own. */
  readonly sockets: readonly SharedSocket[];
}

const alone: Part = { role: 'all', recovers: true, announces: true, sockets: [] };

/**
 * Starts a daemon in this process (`isolation: 'none'`): state, plugins, what an earlier process left half done, and
 * only then the ports. Throws an Error for the operator where one of them fails.
 */
export async function startDaemon(core: Core, state: State, part: Part = alone): Promise<Daemon> {
  const { role, recovers, announces, sockets } = part;
  await state.prepare();
  // What is true of all fronts is told by one.
  const adviser = announces ? core.log : loggerTo(() => {});
  const certificate = await certificateOf(core, adviser);
  await core.hooks.start.promise(role);
  if (recovers) for (const uid of await state.uids()) await core.hooks.recover.promise(uid);
  const capacity = await roomForSessions({ settings: core.settings, log: adviser });
  const sessions = new Sessions(core, inProcess(core), { certificate, capacity });
  const listeners: Listener[] = [];
  try {
    for (const [index, where] of core.settings.listen.entries()) {
      const door = doorOf(where);
      const accept = (socket: Socket): void => sessions.accept(socket, door);
      const failed = (error: Error): void => core.log.error('accepting failed', { error });
      listeners.push(await listen(where, accept, failed, sockets[index]));
    }
    const addresses = listeners.map(({ address }) => address);
    // The master tells of its fronts.
    core.log[role === 'all' ? 'info' : 'debug']('listening', { addresses });
    if (announces) await core.hooks.listening.promise(addresses);
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    await core.hooks.stop.promise(role);
    certificate?.close();
    throw error;
  }
  return running(core, { role, sessions, listeners, certificate });
}

/** The certificate to serve; and where there is none, a word to the operator whom that surprises. */
async function certificateOf(
  { settings, log }: Core,
  adviser: Logger,
): Promise<ServedCertificate | undefined> {
  const advice = loginAdvice(settings);
  if (advice) adviser.warn(advice.what, { fix: advice.fix });
  return settings.tls && ServedCertificate.open(settings.tls, { log });
}

interface Parts {
  readonly role: Part['role'];
  readonly sessions: Sessions;
  readonly listeners: readonly Listener[];
  readonly certificate: ServedCertificate | undefined;
}

function running(core: Core, { role, sessions, listeners, certificate }: Parts): Daemon {
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await sessions.stop(core.settings.stopTimeoutMs);
    await core.hooks.stop.promise(role);
    certificate?.close();
  };
  return {
    addresses: listeners.map(({ address }) => address),
    sessions: sessions.open,
    renewCertificate: async () => certificate?.renew(),
    countElsewhere: (connections) => sessions.countElsewhere(connections),
    async drain() {
      await Promise.all(listeners.map((listener) => listener.close()));
      await sessions.ended();
    },
    stop() {
      if (stopping !== undefined) sessions.destroy();
      stopping ??= stop();
      return stopping;
    },
  };
}

/** What sessions are served with. */
interface Means {
  readonly certificate: ServedCertificate | undefined;
  /** Connections that this process can have open. */
  readonly capacity: number;
}

/** The sessions that are open. */
class Sessions {
  readonly open = new OpenSessions();
  readonly #core: Core;
  readonly #authority: Authority;
  readonly #certificate: ServedCertificate | undefined;
  readonly #entrance: Entrance;
  readonly #stalled = new StalledReaders(() => this.#connections.keys());
  readonly #connections = new Map<SocketChannel, Promise<void>>();
  /** By session. */
  readonly #places = new Map<string, Place>();
  #count = 0;

  constructor(core: Core, authority: Authority, { certificate, capacity }: Means) {
    const { limits } = core.settings;
    this.#certificate = certificate;
    this.#core = core;
    this.#authority = withKnownUsers(authority, {
      sessionsPerUser: limits.sessionsPerUser ?? Infinity,
      known: (session) => this.#places.get(session)?.keep(),
    });
    this.#entrance = new Entrance({
      log: core.log,
      limits,
      capacity,
      enter: (guest) => this.#begin(guest),
      makeRoom: () => this.#endStalled(),
    });
  }

  accept(socket: Socket, door: Door): void {
    this.#entrance.admit(socket, door);
  }

  countElsewhere(connections: number): void {
    this.#entrance.places.elsewhere = connections;
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#entrance.close();
    for (const channel of this.#connections.keys()) channel.stop();
    const late = new AbortController();
    const deadline = delay(timeoutMs, undefined, { signal: late.signal, ref: false }).then(
      () => this.destroy(),
      () => {},
    );
    await Promise.all(this.#connections.values());
    late.abort();
    await deadline;
  }

  /** Resolves when there is none; no new one may come in meanwhile. */
  async ended(): Promise<void> {
    await this.#entrance.settled();
    await Promise.all(this.#connections.values());
  }

  destroy(): void {
    for (const channel of this.#connections.keys()) channel.destroy();
  }

  #begin({ socket, peer, local, place, door, leave }: Guest): void {
    this.#count += 1;
    const id = `${process.pid}-${this.#count}`;
    const facts: Omit<ConnectionFacts, 'signal'> = { id, peer, local, secure: false };
    const channel = new SocketChannel(socket, facts, this.#core.settings, this.#certificate);
    place.giveUp = () => channel.makeRoom();
    this.#places.set(id, place);
    this.#connections.set(channel, this.#run(channel, door.beginsWithTls, leave));
  }

  async #run(channel: SocketChannel, beginsWithTls: boolean, leave: () => void): Promise<void> {
    try {
      const reason = beginsWithTls ? await channel.secure() : undefined;
      if (reason !== undefined) return tellNoTls(channel, reason, this.#core);
      await this.open.hold(channel, (tally) => runSession(channel, this.#core, this.#authority, tally));
      await channel.close();
    } finally {
      channel.destroy();
      this.#connections.delete(channel);
      this.#places.delete(channel.facts.id);
      leave();
    }
  }

  /** Its place is free at once; its maildrop is closed when the store has done so. */
  #endStalled(): boolean {
    const channel = this.#stalled.worst();
    if (channel === undefined) return false;
    this.#places.get(channel.facts.id)?.leave();
    channel.makeRoom();
    return true;
  }
}

const doorOf = (where: Listen): Door => ({
  proxies: where.proxy && new Networks(where.proxy.from),
  beginsWithTls: 'port' in where && where.tls === true,
});
