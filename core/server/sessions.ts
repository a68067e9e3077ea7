import { setTimeout as delay } from 'node:timers/promises';

import type { Core } from '../core.ts';
import type { Authority } from '../session/authority.ts';
import type { ConnectionFacts } from '../session/channel.ts';
import { runSession } from '../session/run-session.ts';
import { tellNoTls } from '../session/start-tls.ts';
import { SocketChannel } from './channel.ts';
import { Entrance, type Guest } from './entrance.ts';
import { withKnownUsers } from './known-users.ts';
import type { Limits } from './limits.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { Place, Places } from './places.ts';
import { StalledReaders } from './stalled-readers.ts';
import type { ServedCertificate } from './tls/served-certificate.ts';

/** What sessions are served with. */
export interface Means {
  readonly certificate: ServedCertificate | undefined;
  /** Connections that this process can have open. */
  readonly capacity: number;
  readonly limits: Limits;
  readonly makeRoomElsewhere?: (() => void) | undefined;
  /** Where they are kept. */
  readonly open: OpenSessions;
}

/** The sessions that are open. */
export class Sessions {
  readonly open: OpenSessions;
  readonly #core: Core;
  readonly #authority: Authority;
  readonly #certificate: ServedCertificate | undefined;
  readonly #entrance: Entrance;
  readonly #stalled = new StalledReaders(() => this.#connections.keys());
  readonly #connections = new Map<SocketChannel, Promise<void>>();
  /** By session. */
  readonly #places = new Map<string, Place>();
  #count = 0;

  constructor(core: Core, authority: Authority, means: Means) {
    const { certificate, capacity, open, limits, makeRoomElsewhere } = means;
    this.open = open;
    this.#certificate = certificate;
    this.#core = core;
    this.#authority = withKnownUsers(authority, {
      limits,
      known: (session) => this.#places.get(session)?.keep(),
    });
    this.#entrance = new Entrance({
      log: core.log,
      connections: core.settings.limits.connections,
      capacity,
      limits,
      makeRoomElsewhere,
      enter: (guest) => this.#begin(guest),
      makeRoom: () => this.#endStalled(),
    });
  }

  accept(...connection: Parameters<Entrance['admit']>): void {
    this.#entrance.admit(...connection);
  }

  /** The places that they take. */
  get places(): Places {
    return this.#entrance.places;
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
