import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Core } from '../core.ts';
import { err, firstLine } from '../protocol/reply.ts';
import { type Authority, inProcess } from '../session/authority.ts';
import type { ConnectionFacts, Peer } from '../session/channel.ts';
import { runSession } from '../session/run-session.ts';
import { withoutMapping } from './address.ts';
import { SocketChannel } from './channel.ts';
import { Limits } from './limits.ts';
import { listen, type Listener } from './listener.ts';
import type { State } from './state.ts';
import { TurnedAway } from './turned-away.ts';

/** A daemon that serves. */
export interface Daemon {
  /** Where it listens, as bound: a port 0 has become a number. */
  readonly addresses: readonly string[];
  /**
   * Ends it: no new clients, idle sessions end without UPDATE, commands at work are finished within `stopTimeoutMs`,
   * then plugins stop. A second call ends it at once.
   */
  stop(): Promise<void>;
}

/**
 * Starts a daemon in this process, which does it all (`isolation: 'none'`): state, plugins, what an earlier process
 * left half done, and only then the ports. Throws an Error for the operator where one of them fails.
 */
export async function startDaemon(core: Core, state: State): Promise<Daemon> {
  await state.prepare();
  await core.hooks.start.promise('all');
  for (const uid of await state.uids()) await core.hooks.recover.promise(uid);
  const sessions = new Sessions(core, inProcess(core));
  const listeners: Listener[] = [];
  try {
    for (const where of core.settings.listen) {
      const accept = (socket: Socket): void => sessions.accept(socket);
      listeners.push(await listen(where, accept, (error) => core.log.error('accepting failed', { error })));
    }
    const addresses = listeners.map(({ address }) => address);
    core.log.info('listening', { addresses });
    await core.hooks.listening.promise(addresses);
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    await core.hooks.stop.promise('all');
    throw error;
  }
  return running(core, sessions, listeners);
}

function running(core: Core, sessions: Sessions, listeners: readonly Listener[]): Daemon {
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await sessions.stop(core.settings.stopTimeoutMs);
    await core.hooks.stop.promise('all');
  };
  return {
    addresses: listeners.map(({ address }) => address),
    stop() {
      if (stopping !== undefined) sessions.destroy();
      stopping ??= stop();
      return stopping;
    },
  };
}

/** The sessions that are open. */
class Sessions {
  readonly #core: Core;
  readonly #authority: Authority;
  readonly #limits: Limits;
  readonly #turnedAway: TurnedAway;
  readonly #open = new Map<SocketChannel, Promise<void>>();
  #count = 0;

  constructor(core: Core, authority: Authority) {
    this.#core = core;
    this.#authority = authority;
    this.#limits = new Limits(core.settings.limits);
    this.#turnedAway = new TurnedAway(core.log);
  }

  accept(socket: Socket): void {
    const peer = peerOf(socket.remoteAddress, socket.remotePort);
    const leave = this.#limits.admit(peer.address);
    if (leave === undefined) return this.#turnAway(socket, peer);
    this.#count += 1;
    const id = `${process.pid}-${this.#count}`;
    const facts: Omit<ConnectionFacts, 'signal'> = {
      id,
      peer,
      local: peerOf(socket.localAddress, socket.localPort),
      secure: false,
    };
    const channel = new SocketChannel(socket, facts, this.#core.settings);
    this.#open.set(channel, this.#run(channel, leave));
  }

  async stop(timeoutMs: number): Promise<void> {
    for (const channel of this.#open.keys()) channel.stop();
    const late = new AbortController();
    const deadline = delay(timeoutMs, undefined, { signal: late.signal, ref: false }).then(
      () => this.destroy(),
      () => {},
    );
    await Promise.all(this.#open.values());
    late.abort();
    await deadline;
    this.#turnedAway.end();
  }

  destroy(): void {
    for (const channel of this.#open.keys()) channel.destroy();
  }

  async #run(channel: SocketChannel, leave: () => void): Promise<void> {
    try {
      await runSession(channel, this.#core, this.#authority);
      await channel.close();
    } finally {
      channel.destroy();
      this.#open.delete(channel);
      leave();
      this.#turnedAway.speakIfDue();
    }
  }

  #turnAway(socket: Socket, peer: Peer): void {
    this.#turnedAway.add(peer.address);
    socket.on('error', () => {});
    socket.end(`${firstLine(err('too many connections, try again later', 'SYS/TEMP'))}\r\n`);
    socket.resume();
    setTimeout(() => socket.destroy(), turnedAwayMs).unref();
  }
}

/** So long one who was turned away may take to read why. */
const turnedAwayMs = 2000;

const peerOf = (address: string | undefined, port: number | undefined): Peer =>
  address === undefined
    ? { address: 'unix', port: 0 }
    : { address: withoutMapping(address), port: port ?? 0 };
