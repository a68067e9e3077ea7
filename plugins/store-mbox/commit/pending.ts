import type { Files } from './files.ts';

/** A journal that waits for recovery. */
export interface PendingJournal {
  readonly journalPath: string;
  /** undefined if the header cannot be read: nothing was changed yet, and the mailbox's next open takes it away. */
  readonly mailboxPath: string | undefined;
}

/** The journals in a folder. To know only whether there are any, look for names that end in `.j`. */
export declare function pendingJournals(files: Files, folder: string): Promise<readonly PendingJournal[]>;
