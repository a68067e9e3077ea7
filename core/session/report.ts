import type { ResponseCode } from '../protocol/reply.ts';
import type { Ending, Peer, TlsFacts } from './channel.ts';

export interface Tally {
  readonly messages: number;
  readonly octets: number;
}

/** For the operator: the client hears less. */
export interface SessionFailure {
  /** What the client was told it by; undefined where it got none. */
  readonly code: ResponseCode | undefined;
  readonly reason: string;
}

/** What one session did, for logs and statistics. Fires once a session, when it is over. */
export interface SessionReport {
  readonly id: string;
  readonly peer: Peer;
  /** Undefined where TLS was not spoken. */
  readonly tls: TlsFacts | undefined;
  /** Undefined where nobody logged in. */
  readonly user: string | undefined;
  /** `failed`: the maildrop could not be opened, or UPDATE failed; `refused`: the server did not want the client. */
  readonly ending: 'quit' | 'failed' | 'refused' | Ending;
  /** Why it ended as `failed`, or as `refused` before a password was looked at. */
  readonly failure: SessionFailure | undefined;
  readonly retrieved: Tally;
  /** What TOP sent, headers and lines. */
  readonly top: Tally;
  readonly deleted: Tally;
  readonly left: Tally;
  /** Octets on the wire, both ways. */
  readonly received: number;
  readonly sent: number;
  readonly durationMs: number;
  /** Of that, from the beginning to a password that was right; undefined where nobody logged in. */
  readonly loginMs: number | undefined;
  /** Until the maildrop was open; 0 where it never was. */
  readonly openMs: number;
  /** From the last command to the end: UPDATE, if there was one. */
  readonly updateMs: number;
}
