import type { SessionReport, Tally } from '../session/report.ts';
import { type SessionProgress, SessionTally } from '../session/session-tally.ts';
import type { SocketChannel } from './channel.ts';

/** A session that is open, from the greeting until its maildrop is closed. */
export interface OpenSession {
  readonly channel: SocketChannel;
  readonly tally: SessionTally;
  /** Resolves when it is over: its maildrop is closed, and the lock on it free. */
  readonly over: Promise<void>;
}

/** What sessions have come to since the daemon began. */
export interface Totals {
  readonly acceptedLogins: number;
  readonly refusedLogins: number;
  readonly retrieved: Tally;
  readonly deleted: Tally;
}

/** The sessions that are open, by their ids in the order in which they began, and the sum of those that are over. */
export class OpenSessions {
  readonly #open = new Map<SessionReport['id'], OpenSession>();
  #past: Totals = { acceptedLogins: 0, refusedLogins: 0, retrieved: nothing, deleted: nothing };
  /** Called when there is one more or one less. */
  changed: () => void = () => {};

  get count(): number {
    return this.#open.size;
  }

  /** Keeps a session while `run` runs it. `run` never throws. */
  async hold(
    channel: SocketChannel,
    run: (tally: SessionTally) => Promise<void>,
    tally = new SessionTally(),
  ): Promise<void> {
    const over = run(tally);
    this.#open.set(channel.facts.id, { channel, tally, over });
    this.changed();
    await over;
    this.#open.delete(channel.facts.id);
    this.#past = plus(this.#past, tally.progress());
    this.changed();
  }

  get(id: string): OpenSession | undefined {
    return this.#open.get(id);
  }

  ofUser(user: string): readonly OpenSession[] {
    return [...this.#open.values()].filter(({ tally }) => tally.user === user);
  }

  values(): Iterable<OpenSession> {
    return this.#open.values();
  }

  /** Those that are open included. */
  totals(): Totals {
    let totals = this.#past;
    for (const { tally } of this.#open.values()) totals = plus(totals, tally.progress());
    return totals;
  }
}

const nothing: Tally = { messages: 0, octets: 0 };

function plus(totals: Totals, progress: SessionProgress): Totals {
  return {
    acceptedLogins: totals.acceptedLogins + (progress.user === undefined ? 0 : 1),
    refusedLogins: totals.refusedLogins + progress.refusedLogins,
    retrieved: sum(totals.retrieved, progress.retrieved),
    deleted: sum(totals.deleted, progress.deleted),
  };
}

const sum = (one: Tally, other: Tally): Tally => ({
  messages: one.messages + other.messages,
  octets: one.octets + other.octets,
});
