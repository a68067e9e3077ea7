import type { Channel } from './channel.ts';
import type { Deletions } from './deletions.ts';
import type { SessionReport, Tally } from './report.ts';

type SessionEnding = SessionReport['ending'];

/** Counts what a session does, and makes the one report of it. */
export class SessionTally {
  readonly #startedAtMs = performance.now();
  #user: string | undefined;
  #ending: SessionEnding | undefined;
  #retrieved: Tally = { messages: 0, octets: 0 };
  #deleted: Tally = { messages: 0, octets: 0 };
  #left: Tally = { messages: 0, octets: 0 };

  loggedIn(user: string): void {
    this.#user = user;
  }

  retrieved(octets: number): void {
    this.#retrieved = { messages: this.#retrieved.messages + 1, octets: this.#retrieved.octets + octets };
  }

  /** What the maildrop holds when the session ends without UPDATE, or before it. */
  unchanged(messages: number, octets: number): void {
    this.#left = { messages, octets };
  }

  updated(deletions: Deletions): void {
    this.#deleted = { messages: deletions.marked.size, octets: deletions.markedOctets };
    this.#left = { messages: deletions.remainingCount, octets: deletions.remainingOctets };
  }

  /** The first word counts. Gives undefined, so that a loop can end by returning it. */
  ended(how: SessionEnding): undefined {
    this.#ending ??= how;
    return undefined;
  }

  report({ facts, ending, received, sent }: Channel): SessionReport {
    return {
      id: facts.id,
      peer: facts.peer,
      user: this.#user,
      ending: this.#ending ?? ending ?? 'disconnected',
      retrieved: this.#retrieved,
      deleted: this.#deleted,
      left: this.#left,
      received,
      sent,
      durationMs: Math.round(performance.now() - this.#startedAtMs),
    };
  }
}
