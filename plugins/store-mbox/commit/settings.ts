import type { Files, OpenFile } from './files.ts';
import type { Reserve } from './reserve.ts';

/** The mailbox file, open for reading and writing, with both mailbox locks held by the caller. */
export interface Mailbox {
  /** Canonical: the journal is found by it. */
  readonly path: string;
  readonly file: OpenFile;
}

/**
 * When the disk is waited for. `commit`: before anything is acknowledged, and nowhere else. `always`: also before
 * the journal is taken away. `never`: a power cut may break mailboxes, a killed process still does not.
 */
export type SyncPolicy = 'commit' | 'always' | 'never';

/** How commits are made. */
export interface CommitSettings {
  readonly files: Files;
  /** Where journals lie: there already, mode 0700, owned by the uid that commits, shared by all that commit for it. */
  readonly journalFolder: string;
  readonly fsync?: SyncPolicy;
  /** Mail copied in one step, 4 MiB by default. A commit needs this much memory, and up to twice as much disk. */
  readonly chunkOctets?: number;
  /** Header and record descriptions are padded to this, 4096 by default, 256 at least. For tests. */
  readonly blockOctets?: number;
  /** Lends a journal when the disk is full; without it a full disk can stop a deletion. */
  readonly reserve?: Reserve;
}
