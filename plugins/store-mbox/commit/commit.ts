import type { CommitSettings, Mailbox } from './settings.ts';

/** The mailbox after a commit. */
export interface CommitResult {
  /** Size now, late mail included. */
  readonly mailboxOctets: number;
  /** Size under the lock before anything moved, late mail (of agents that ignore locks) included. */
  readonly formerOctets: number;
  /** The commit stands, but its journal could not be taken away; the next recovery does it. For the log. */
  readonly leftover: unknown;
}

/**
 * Removes the octet ranges `deleted` (start, end, start, end, ...: half-open, ascending, not overlapping) from the
 * mailbox, durably. All or nothing, whatever dies when. Throws CommitError.
 */
export declare function commitDeletions(
  mailbox: Mailbox,
  deleted: Float64Array,
  settings: CommitSettings,
): Promise<CommitResult>;
