import type { Identity } from '../auth/login.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import type { ConnectionFacts } from './channel.ts';
import type { Deletions } from './deletions.ts';

/** RFC 1939 section 4: the client has not said who it is. */
export interface AuthorizationSession extends ConnectionFacts {
  readonly state: 'AUTHORIZATION';
  /** The name that USER gave, where it was the last command. */
  readonly claimedUser: string | undefined;
}

/** RFC 1939 section 5: the maildrop is open and locked. */
export interface TransactionSession extends ConnectionFacts {
  readonly state: 'TRANSACTION';
  readonly identity: Identity;
  readonly maildrop: Maildrop;
  readonly deletions: Deletions;
}

// UPDATE has no member: no command runs in it.
export type Session = AuthorizationSession | TransactionSession;
export type State = Session['state'];
export type SessionIn<S extends State> = Extract<Session, { state: S }>;
