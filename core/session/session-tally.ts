import { PartlyRemoved } from '../maildrop/partly-removed.ts';
import type { Refusal } from '../plugin/hooks.ts';
import { Failure } from '../protocol/failure.ts';
import type { Channel } from './channel.ts';
import type { Deletions } from './deletions.ts';
import type { SessionFailure, SessionReport, Tally } from './report.ts';
import type { State } from './session.ts';

type SessionEnding = SessionReport['ending'];

/** What a session is at, for whoever looks at it from outside. Times are of the clock `performance.now` reads. */
export interface SessionProgress {
  /** TRANSACTION from when the maildrop is open; a user who has proved who it is waits for that in AUTHORIZATION. */
  readonly state: State;
  readonly user: string | undefined;
  /** The keyword of the command at work; undefined while the client is waited for. */
  readonly command: string | undefined;
  readonly startedAtMs: number;
  /** When the last command began, or the session where there was none. */
  readonly activeAtMs: number;
  readonly refusedLogins: number;
  readonly retrieved: Tally;
  /** What DELE has marked; nothing of it is removed yet. */
  readonly marked: Tally;
  /** What UPDATE has removed. */
  readonly deleted: Tally;
}

/** What the part of a session behind the login comes to. */
export type SessionOutcome = Pick<
  SessionReport,
  'ending' | 'failure' | 'retrieved' | 'top' | 'deleted' | 'left' | 'openMs' | 'updateMs'
>;

const nothing: Tally = { messages: 0, octets: 0 };

/** Counts what a session does, and makes the one report of it. */
export class SessionTally {
  readonly #startedAtMs = performance.now();
  #activeAtMs = this.#startedAtMs;
  #command: string | undefined;
  #isElsewhere = false;
  #user: string | undefined;
  #loggedInAtMs: number | undefined;
  #openMs: number | undefined;
  #updateMs: number | undefined;
  #refusedLogins = 0;
  #deletions: Deletions | undefined;
  #ending: SessionEnding | undefined;
  #failure: SessionFailure | undefined;
  #retrieved = nothing;
  #top = nothing;
  #deleted = nothing;
  #left = nothing;

  get user(): string | undefined {
    return this.#user;
  }

  /** A command begins. Called for each one, so it writes two fields and no more. */
  began(keyword: string): void {
    this.#command = keyword;
    this.#activeAtMs = performance.now();
  }

  /** The command is answered; the next one is waited for. */
  waits(): void {
    this.#command = undefined;
  }

  /** Another process runs the rest of the session, and knows what it is at. */
  handedOver(): void {
    this.#isElsewhere = true;
    this.#command = undefined;
  }

  loginRefused(): void {
    this.#refusedLogins += 1;
  }

  loggedIn(user: string): void {
    this.#user = user;
    this.#loggedInAtMs ??= performance.now();
  }

  retrieved(octets: number): void {
    this.#retrieved = { messages: this.#retrieved.messages + 1, octets: this.#retrieved.octets + octets };
  }

  /** Part of a message was sent. */
  topped(octets: number): void {
    this.#top = { messages: this.#top.messages + 1, octets: this.#top.octets + octets };
  }

  /** The maildrop is open. What it holds now is left where the session ends without UPDATE. */
  opened(deletions: Deletions): void {
    this.#openMs ??= since(this.#loggedInAtMs);
    this.#deletions = deletions;
    this.#left = { messages: deletions.remainingCount, octets: deletions.remainingOctets };
  }

  /** The maildrop was left, with UPDATE or without: so long that took. */
  leftWithin(ms: number): void {
    this.#updateMs = Math.round(ms);
  }

  updated(deletions: Deletions): void {
    const { messages, octets } = this.#deleted;
    this.#deleted = {
      messages: messages + deletions.marked.size,
      octets: octets + deletions.markedOctets,
    };
    this.#left = { messages: deletions.remainingCount, octets: deletions.remainingOctets };
  }

  /** Another process has run the rest of the session, and this is what it came to there. */
  adopt({ ending, failure, retrieved, top, deleted, left, openMs, updateMs }: SessionOutcome): void {
    // The client may be gone there because it was sent away here, and then the connection knows better.
    if (ending !== 'disconnected') this.#ending ??= ending;
    this.#failure ??= failure;
    this.#retrieved = retrieved;
    this.#top = top;
    this.#openMs = openMs;
    this.#updateMs = updateMs;
    this.#deleted = deleted;
    this.#left = left;
  }

  /** It ends by an error, which the report tells the reason of. */
  failed(error: unknown): undefined {
    this.#failure ??= failureOf(error);
    if (error instanceof PartlyRemoved) this.#partlyUpdated(error);
    return this.ended('failed');
  }

  #partlyUpdated({ removed }: PartlyRemoved): void {
    const { messages, octets } = this.#left;
    const before = this.#deleted;
    this.#deleted = {
      messages: before.messages + removed.messages,
      octets: before.octets + removed.octets,
    };
    this.#left = { messages: messages - removed.messages, octets: octets - removed.octets };
  }

  /** The server did not want the client, and told it so. */
  refused({ text, code }: Refusal): undefined {
    this.#failure ??= { code, reason: text };
    return this.ended('refused');
  }

  /** The first word counts. Gives undefined, so that a loop can end by returning it. */
  ended(how: SessionEnding): undefined {
    this.#ending ??= how;
    return undefined;
  }

  progress(): SessionProgress {
    const deletions = this.#deletions;
    return {
      state: deletions === undefined && !this.#isElsewhere ? 'AUTHORIZATION' : 'TRANSACTION',
      user: this.#user,
      command: this.#command,
      startedAtMs: this.#startedAtMs,
      activeAtMs: this.#activeAtMs,
      refusedLogins: this.#refusedLogins,
      retrieved: this.#retrieved,
      marked:
        deletions === undefined
          ? nothing
          : { messages: deletions.marked.size, octets: deletions.markedOctets },
      deleted: this.#deleted,
    };
  }

  #loginMs(): number | undefined {
    return this.#loggedInAtMs === undefined ? undefined : Math.round(this.#loggedInAtMs - this.#startedAtMs);
  }

  report({ facts, ending, received, sent }: Channel): SessionReport {
    return {
      id: facts.id,
      peer: facts.peer,
      tls: facts.tls,
      user: this.#user,
      ending: this.#ending ?? ending ?? 'disconnected',
      failure: this.#failure,
      retrieved: this.#retrieved,
      top: this.#top,
      deleted: this.#deleted,
      left: this.#left,
      received,
      sent,
      durationMs: since(this.#startedAtMs),
      loginMs: this.#loginMs(),
      openMs: this.#openMs ?? 0,
      updateMs: this.#updateMs ?? 0,
    };
  }
}

const since = (atMs: number | undefined): number =>
  atMs === undefined ? 0 : Math.round(performance.now() - atMs);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function failureOf(error: unknown): SessionFailure {
  const reason = messageOf(error);
  if (!(error instanceof Failure)) return { code: undefined, reason };
  const { code, cause } = error;
  return { code, reason: cause === undefined ? reason : `${reason}: ${messageOf(cause)}` };
}
