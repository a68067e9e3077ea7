import type { Channel } from '../../session/channel.ts';
import type { SessionProgress } from '../../session/session-tally.ts';
import type { Daemon } from '../daemon.ts';
import type { OpenSession } from '../open-sessions.ts';
import type { State } from '../state.ts';
import { type Control, ControlRefusal } from './commands.ts';
import { endSessions } from './end-sessions.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { holdersOf } from './lock-holders.ts';
import type { Drained, Kicked, Reloaded, SessionEntry, Status, Unlocked } from './messages.ts';

/** What a daemon cannot tell about itself. */
export interface Surroundings {
  readonly version: string;
  readonly configFile: string;
  readonly state: Pick<State, 'lockOf'>;
  /** Sees to it that the daemon ends when it has been drained. */
  readonly drain: () => void;
}

/** The control of a daemon that is one process. */
export class DaemonControl implements Control {
  readonly #daemon: Daemon;
  readonly #surroundings: Surroundings;
  readonly #eventLoopDelay = new EventLoopDelay();
  #isDraining = false;

  constructor(daemon: Daemon, surroundings: Surroundings) {
    this.#daemon = daemon;
    this.#surroundings = surroundings;
  }

  async status(): Promise<Status> {
    const { addresses, sessions } = this.#daemon;
    const { version, configFile } = this.#surroundings;
    const { rss, heapUsed } = process.memoryUsage();
    const { acceptedLogins, refusedLogins, retrieved, deleted } = sessions.totals();
    return {
      version,
      pid: process.pid,
      startedAt: wallClock(0),
      configFile,
      listening: this.#isDraining ? [] : [...addresses],
      draining: this.#isDraining,
      sessions: countByState(sessions.values()),
      logins: { accepted: acceptedLogins, refused: refusedLogins },
      retrieved,
      deleted,
      eventLoopDelayP99Ms: this.#eventLoopDelay.p99Ms,
      memory: { residentOctets: rss, heapOctets: heapUsed },
    };
  }

  async *who(): AsyncGenerator<SessionEntry> {
    const now = performance.now();
    for (const { channel, tally } of this.#daemon.sessions.values()) {
      const progress = tally.progress();
      // A reader that is slower than clients come would never see the end.
      if (progress.startedAtMs > now) return;
      yield entryOf(channel, progress);
    }
  }

  async kick(target: string): Promise<Kicked> {
    const { sessions } = this.#daemon;
    const one = sessions.get(target);
    const meant = one === undefined ? sessions.ofUser(target) : [one];
    if (meant.length === 0)
      throw new ControlRefusal(`there is no session ${target}, and none of a user of that name`);
    return endSessions(meant);
  }

  async unlock(user: string): Promise<Unlocked> {
    const ends = await endSessions(this.#daemon.sessions.ofUser(user));
    const look = await this.#surroundings.state.lockOf(user);
    if (look === undefined) return { ...ends, lock: 'unknown', holders: [] };
    if (!look.isHeld) return { ...ends, lock: 'free', holders: [] };
    return { ...ends, lock: 'held', holders: [...(await holdersOf(look))] };
  }

  async reload(): Promise<Reloaded> {
    throw new ControlRefusal(
      'one process that serves alone (fronts: 1) cannot reload: popper drain ends it softly, then start it again',
    );
  }

  async drain(): Promise<Drained> {
    if (!this.#isDraining) this.#surroundings.drain();
    this.#isDraining = true;
    return { sessions: this.#daemon.sessions.count };
  }

  /** Lets go of what it watches. */
  close(): void {
    this.#eventLoopDelay.stop();
  }
}

function countByState(sessions: Iterable<OpenSession>): Status['sessions'] {
  const count = { authorization: 0, transaction: 0 };
  for (const { tally } of sessions) {
    if (tally.progress().state === 'TRANSACTION') count.transaction += 1;
    else count.authorization += 1;
  }
  return count;
}

function entryOf({ facts, received, sent }: Channel, progress: SessionProgress): SessionEntry {
  const { id, peer, secure } = facts;
  const { user, command, state, startedAtMs, activeAtMs, retrieved, marked } = progress;
  return {
    id,
    ...(user !== undefined && { user }),
    address: peer.address,
    port: peer.port,
    secure,
    state,
    ...(command !== undefined && { command }),
    startedAt: wallClock(startedAtMs),
    activeAt: wallClock(activeAtMs),
    retrieved,
    marked,
    received,
    sent,
  };
}

/** Counted back from now, since the machine's clock may have been set meanwhile. */
const wallClock = (atMs: number): string => new Date(Date.now() - (performance.now() - atMs)).toISOString();
