import type { Ending, Peer } from './channel.ts';

export interface Tally {
  readonly messages: number;
  readonly octets: number;
}

/** What one session did, for logs and statistics. Fires once a session, when it is over. */
export interface SessionReport {
  readonly id: string;
  readonly peer: Peer;
  /** Undefined where nobody logged in. */
  readonly user: string | undefined;
  /** `failed`: the maildrop could not be opened, or UPDATE failed; `refused`: the server did not want the client. */
  readonly ending: 'quit' | 'failed' | 'refused' | Ending;
  readonly retrieved: Tally;
  readonly deleted: Tally;
  readonly left: Tally;
  /** Octets on the wire, both ways. */
  readonly received: number;
  readonly sent: number;
  readonly durationMs: number;
}
