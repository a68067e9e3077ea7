import type { Socket } from 'node:net';

import type { Core } from '../core.ts';
import { type Logger, loggerTo } from '../log/logger.ts';
import { type Authority, inProcess } from '../session/authority.ts';
import type { Listen } from '../settings.ts';
import type { Door } from './entrance.ts';
import { Limits } from './limits.ts';
import { listen, type Listener, type SharedSocket } from './listener.ts';
import { OpenSessions } from './open-sessions.ts';
import type { ProxiedClient } from './proxy/header.ts';
import { Networks } from './proxy/networks.ts';
import { roomForSessions } from './room.ts';
import { Sessions } from './sessions.ts';
import { SocketDebug } from './socket-debug.ts';
import type { State } from './state.ts';
import type { Taken } from './taken.ts';
import { loginAdvice } from './tls/advice.ts';
import { type PemSource, ServedCertificate } from './tls/served-certificate.ts';

/** A daemon that serves. */
export interface Daemon {
  /** Where it listens, as bound: a port 0 has become a number. */
  readonly addresses: readonly string[];
  readonly sessions: OpenSessions;
  /** Reads the files of the certificate anew, for an operator who asks; that they change is noticed without. */
  renewCertificate(): Promise<void>;
  /** Tells it how many connections other processes have, since the limit in all is for all of them. */
  countElsewhere(elsewhere: Taken): void;
  /** What other processes have to be told. */
  readonly taken: Taken;
  /** Ends the connection of the oldest stranger: for another process, or where none of them has one for it. */
  giveWay(to: 'other' | 'nobody'): void;
  /** No new clients; resolves when the last one that is there has left by itself. `stop` is still to be called. */
  drain(): Promise<void>;
  /**
   * Ends it: no new clients, idle sessions end without UPDATE, commands at work are finished within `stopTimeoutMs`,
   * then plugins stop. A second call ends it at once.
   */
  stop(): Promise<void>;
}

/** Who checks passwords, opens mail and reads the key for a process that may not. */
export interface Privileged {
  readonly pem: PemSource;
  authority(core: Core, sessions: OpenSessions): Authority;
}

/** What a daemon is to do in its process: all of it, alone or as one of several, or what strangers see of it. */
export interface Part {
  /** Whether a master tells of it and its like. */
  readonly hasMaster: boolean;
  /** With it, the process has no rights of its own over passwords, mail and keys. */
  readonly privileged?: Privileged;
  /** Whether dead processes may have left something half done. */
  readonly recovers: boolean;
  /** Whether it tells plugins that the ports are open. */
  readonly announces: boolean;
  /** Those that are there, in the place of ports: nobody else comes. */
  readonly clients?: readonly GivenClient[];
  /** Where it has them together with others; else it has its own. */
  readonly limits?: Limits;
  /** Has another process end the connection of somebody who has not logged in. */
  readonly makeRoomElsewhere?: () => void;
  /** In the order of `listen`; where there is none it opens its own. */
  readonly sockets: readonly (SharedSocket | undefined)[];
}

/** A client whose connection somebody else has accepted. */
export interface GivenClient {
  readonly socket: Socket;
  readonly door: Door;
  /** Who is at either end, where the socket does not tell. */
  readonly ends?: ProxiedClient;
}

/** All of it. */
export const alone: Part = { hasMaster: false, recovers: true, announces: true, sockets: [] };

/**
 * Starts a daemon in this process: state, plugins, what an earlier process left half done, and only then the ports. Throws
 * an Error for the operator where one of them fails.
 */
export async function startDaemon(core: Core, state: State, part: Part = alone): Promise<Daemon> {
  const parts = await prepare(core, state, part);
  try {
    if (part.clients === undefined) await openPorts(core, parts, part);
    else for (const { socket, door, ends } of part.clients) parts.sessions.accept(socket, door, ends);
  } catch (error) {
    await closePorts(parts);
    await core.hooks.stop.promise(parts.role);
    parts.certificate?.close();
    throw error;
  }
  return running(core, parts);
}

/** Everything that comes before the ports. */
async function prepare(core: Core, state: State, part: Part): Promise<Parts> {
  const { privileged, recovers, announces } = part;
  const role = privileged === undefined ? 'all' : 'front';
  // The folder of a front is made for it.
  if (privileged === undefined) await state.prepare();
  // What is true of all fronts is told by one.
  const adviser = announces ? core.log : loggerTo(() => {});
  const certificate = await certificateOf(core, adviser, privileged?.pem);
  await core.hooks.start.promise(role);
  if (recovers) for (const uid of await state.uids()) await core.hooks.recover.promise(uid);
  const capacity = await roomForSessions({ settings: core.settings, log: adviser });
  const open = new OpenSessions();
  const authority = privileged?.authority(core, open) ?? inProcess(core);
  const { limits = new Limits(core.settings.limits), makeRoomElsewhere } = part;
  const sessions = new Sessions(core, authority, {
    certificate,
    capacity,
    limits,
    makeRoomElsewhere,
    open,
  });
  return { role, sessions, listeners: [], certificate };
}

async function openPorts(core: Core, { sessions, listeners }: Parts, part: Part): Promise<void> {
  // A master has done so for its fronts.
  const isDebugging = core.settings.socketDebug && !part.hasMaster;
  const debug = isDebugging ? await SocketDebug.load(core.log) : undefined;
  for (const [index, where] of core.settings.listen.entries()) {
    const door = doorOf(where);
    const accept = (socket: Socket): void => sessions.accept(socket, door);
    const failed = (error: Error): void => core.log.error('accepting failed', { error });
    const listener = await listen(where, accept, failed, part.sockets[index]);
    if (!('path' in where)) debug?.turnOn(listener.descriptor);
    listeners.push(listener);
  }
  const addresses = listeners.map(({ address }) => address);
  // The master tells of its fronts.
  core.log[part.hasMaster ? 'debug' : 'info']('listening', { addresses });
  if (part.announces) await core.hooks.listening.promise(addresses);
}

async function closePorts({ listeners }: Parts): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}

/** The certificate to serve; and where there is none, a word to the operator whom that surprises. */
async function certificateOf(
  { settings, log }: Core,
  adviser: Logger,
  source?: PemSource,
): Promise<ServedCertificate | undefined> {
  const advice = loginAdvice(settings);
  if (advice) adviser.warn(advice.what, { fix: advice.fix });
  return settings.tls && ServedCertificate.open(settings.tls, { log, ...(source && { source }) });
}

interface Parts {
  readonly role: 'all' | 'front';
  readonly sessions: Sessions;
  readonly listeners: Listener[];
  readonly certificate: ServedCertificate | undefined;
}

function running(core: Core, parts: Parts): Daemon {
  const { role, sessions, listeners, certificate } = parts;
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await closePorts(parts);
    await sessions.stop(core.settings.stopTimeoutMs);
    await core.hooks.stop.promise(role);
    certificate?.close();
  };
  return {
    addresses: listeners.map(({ address }) => address),
    sessions: sessions.open,
    renewCertificate: async () => certificate?.renew(),
    countElsewhere: (elsewhere) => sessions.places.hear(elsewhere),
    get taken() {
      return sessions.places.taken;
    },
    giveWay: (to) => (to === 'other' ? sessions.places.giveWay() : sessions.places.giveUpOldest()),
    async drain() {
      await closePorts(parts);
      await sessions.ended();
    },
    stop() {
      if (stopping !== undefined) sessions.destroy();
      stopping ??= stop();
      return stopping;
    },
  };
}

const doorOf = (where: Listen): Door => ({
  proxies: where.proxy && new Networks(where.proxy.from),
  beginsWithTls: 'tls' in where && where.tls,
});
