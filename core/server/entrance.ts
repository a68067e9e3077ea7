import type { Socket } from 'node:net';

import type { Logger } from '../log/logger.ts';
import { err, firstLine } from '../protocol/reply.ts';
import type { Peer } from '../session/channel.ts';
import { withoutMapping } from './address.ts';
import type { Limits } from './limits.ts';
import { type Place, Places } from './places.ts';
import type { ProxiedClient } from './proxy/header.ts';
import type { Networks } from './proxy/networks.ts';
import { NothingSent, readProxyHeader } from './proxy/read-header.ts';
import { TurnedAway } from './turned-away.ts';

/** A client who may come in. */
export interface Guest extends ProxiedClient {
  readonly socket: Socket;
  readonly place: Place;
  readonly door: Door;
  /** To be called when the connection is over. */
  readonly leave: () => void;
}

/** What a kind of listener asks of a connection before its session. */
export interface Door {
  /** Those who open connections for others, and say for whom in a PROXY header. Nobody else is believed. */
  readonly proxies: Networks | undefined;
  /** Whether the client begins with a handshake, so that it reads no words before. */
  readonly beginsWithTls: boolean;
}

interface EntranceOptions {
  readonly log: Logger;
  /** Connections that there may be at one time in all. */
  readonly connections: number;
  /** Connections that this process can have open. */
  readonly capacity: number;
  readonly limits: Limits;
  readonly makeRoomElsewhere?: (() => void) | undefined;
  /** Begins the session. */
  readonly enter: (guest: Guest) => void;
  /** Ends a session whose client reads nothing, if there is one: all places are taken by users. Says whether. */
  readonly makeRoom: () => boolean;
}

/** Gives back what a connection has taken of the limits; undefined: it may take nothing. */
type LeaveLimits = (() => void) | undefined;
type Arrival = readonly [socket: Socket, door: Door, ends: ProxiedClient];

/** The way in: who is there for whom, and whether there is room. */
export class Entrance {
  readonly places: Places;
  readonly #options: EntranceOptions;
  readonly #crowd: TurnedAway;
  readonly #misled: TurnedAway;
  /** Those of whom other processes are asked how many connections they have. */
  readonly #asked = new Map<Socket, Promise<void>>();
  /** Proxies that have not said yet for whom they come. */
  readonly #pending = new Map<Socket, Promise<void>>();
  readonly #maxPending: number;
  #lingering = 0;

  constructor(options: EntranceOptions) {
    const { log, connections, capacity, makeRoomElsewhere } = options;
    this.#options = options;
    this.#maxPending = Math.min(connections, capacity);
    this.places = new Places({
      connections,
      capacity,
      ...(makeRoomElsewhere && { makeRoomElsewhere }),
    });
    this.#crowd = new TurnedAway(log, 'too many connections');
    this.#misled = new TurnedAway(log, 'no PROXY header where one is due');
  }

  /** Lets a connection in, or turns it away. `ends` are known by the socket, where it is the client's own. */
  admit(socket: Socket, door: Door, ends: ProxiedClient = endsOf(socket)): void {
    // Without a listener an error would end the process; 'close' follows and says all that matters.
    socket.on('error', () => {});
    const { address } = ends.peer;
    if (door.proxies?.includes(address) !== true) return this.#enter(socket, door, ends);
    if (this.#pending.size >= this.#maxPending) return this.#turnAway(socket, door, address);
    wait(this.#pending, socket, this.#introduced(socket, door, ends));
  }

  /** Resolves when it is known of each who has come whether he comes in; no new one may come meanwhile. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending.values());
    await Promise.all(this.#asked.values());
  }

  /** Nobody comes in any more of whom that is not known. */
  close(): void {
    for (const socket of [...this.#pending.keys(), ...this.#asked.keys()]) socket.destroy();
    this.#crowd.end();
    this.#misled.end();
  }

  /** Lets in whom a proxy has come for, or closes the connection where it does not say. */
  async #introduced(socket: Socket, door: Door, ends: ProxiedClient): Promise<void> {
    const header = await readProxyHeader(socket).catch((error: unknown) => {
      socket.destroy();
      // Balancers open a connection and close it at once to see whether the port is open.
      if (error instanceof NothingSent) return;
      const reason = error instanceof Error ? error.message : error;
      this.#misled.add({ address: ends.peer.address, reason });
    });
    if (header !== undefined) this.#enter(socket, door, header.client ?? ends);
  }

  /** The address first: whoever has had his share makes nobody give way. Other processes are asked before he is refused for what they have. */
  #enter(socket: Socket, door: Door, ends: ProxiedClient): void {
    const { limits } = this.#options;
    const { address } = ends.peer;
    const leaveLimits = limits.admit(address);
    const mayAsk = leaveLimits === undefined && this.#asked.size < this.#maxPending;
    const looking = mayAsk ? limits.admitAfterLook(address) : undefined;
    if (looking === undefined) this.#enterWithin(leaveLimits, socket, door, ends);
    else wait(this.#asked, socket, this.#enterAfter(looking, socket, door, ends));
  }

  async #enterAfter(looking: Promise<LeaveLimits>, ...guest: Arrival): Promise<void> {
    const leaveLimits = await looking;
    const [socket] = guest;
    // He may have gone while others were asked.
    if (socket.destroyed) leaveLimits?.();
    else this.#enterWithin(leaveLimits, ...guest);
  }

  #enterWithin(leaveLimits: LeaveLimits, ...[socket, door, { peer, local }]: Arrival): void {
    const place = leaveLimits && this.#placeFor(socket);
    if (leaveLimits === undefined || place === undefined) {
      leaveLimits?.();
      return this.#turnAway(socket, door, peer.address);
    }
    const leave = (): void => {
      place.leave();
      leaveLimits();
      this.#crowd.speakIfDue();
      this.#misled.speakIfDue();
    };
    this.#options.enter({ socket, peer, local, door, place, leave });
  }

  #placeFor(socket: Socket): Place | undefined {
    const giveUp = (): void => void socket.destroy();
    const place = this.places.take(giveUp);
    if (place !== undefined || !this.#options.makeRoom()) return place;
    return this.places.take(giveUp);
  }

  /** Clients who hear that there is no room cost open files, too: only so many are waited for until they have read it. */
  #turnAway(socket: Socket, { beginsWithTls }: Door, address: string): void {
    this.#crowd.add({ address });
    if (beginsWithTls) return void socket.destroy();
    socket.end(noRoom);
    if (this.#lingering >= maxLingering) return void socket.destroy();
    this.#lingering += 1;
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
    // What it still sends has to be read: else the kernel resets and our words are lost.
    socket.resume().once('close', () => {
      this.#lingering -= 1;
      clearTimeout(timer);
    });
  }
}

/** Keeps it with whoever waits until it is decided. */
function wait(waiting: Map<Socket, Promise<void>>, socket: Socket, decided: Promise<void>): void {
  waiting.set(socket, decided);
  void decided.finally(() => waiting.delete(socket));
}

const noRoom = `${firstLine(err('too many connections, try again later', 'SYS/TEMP'))}\r\n`;
/** So long one who was turned away may take to read why. */
const lingerMs = 2000;
const maxLingering = 64;

const endsOf = (socket: Socket): ProxiedClient => ({
  peer: endOf(socket.remoteAddress, socket.remotePort),
  local: endOf(socket.localAddress, socket.localPort),
});

const endOf = (address: string | undefined, port: number | undefined): Peer =>
  address === undefined
    ? { address: 'unix', port: 0 }
    : { address: withoutMapping(address), port: port ?? 0 };
