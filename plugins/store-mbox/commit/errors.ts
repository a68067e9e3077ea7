/**
 * What a failed commit left behind.
 * - `untouched`: the mailbox is as it was; nothing of this commit will ever happen.
 * - `pending`: decided but not finished, or not known; refuse every write until `recoverMailbox` succeeds.
 * - `unsynced`: done, and everybody sees it, but a power cut may still take it back.
 */
export type CommitState = 'untouched' | 'pending' | 'unsynced';

/** A commit that did not end well. `cause` is the system's error, for the log. */
export class CommitError extends Error {
  override readonly name = 'CommitError';
  readonly state: CommitState;

  constructor(state: CommitState, mailboxPath: string, cause: unknown) {
    super(`${mailboxPath}: ${sentences[state]}`, { cause });
    this.state = state;
  }
}

const sentences: Record<CommitState, string> = {
  untouched: 'nothing was changed',
  pending: 'the change is not finished; recovery will finish it',
  unsynced: 'the change is made, but the disk did not confirm it',
};
