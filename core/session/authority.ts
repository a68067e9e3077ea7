import type { Identity, LoginAttempt, Verdict } from '../auth/login.ts';
import type { Core } from '../core.ts';
import type { CarriedFacts } from '../plugin/facts.ts';
import type { Channel } from './channel.ts';
import type { SessionTally } from './session-tally.ts';
import type { AuthorizationSession } from './session.ts';
import { transact } from './transact.ts';

/** What a login hands on: who it is, and the facts that plugins declared to outlive the AUTHORIZATION state. */
export interface Ticket {
  readonly identity: Identity;
  readonly facts: CarriedFacts;
}

/**
 * Whoever may check passwords and act as the mail user. The session asks and cannot tell where the answer comes from:
 * this process (below), or a privileged one at the other end of a pipe.
 */
export interface Authority {
  /** No answer means that no authenticator knows the user. Throws where one of them broke. */
  authenticate(attempt: LoginAttempt, session: AuthorizationSession): Promise<Verdict | undefined>;
  /** Runs the rest of the session with the rights of this ticket's identity, and no others. */
  transact(channel: Channel, ticket: Ticket, tally: SessionTally): Promise<void>;
}

/** For the demo, tests, inetd, and sites where one system user owns all the mail. */
export const inProcess = (core: Core): Authority => ({
  authenticate: (attempt, session) => core.hooks.authenticate.promise(attempt, session),
  transact: (channel, ticket, tally) => transact(channel, ticket, { core, tally }),
});
