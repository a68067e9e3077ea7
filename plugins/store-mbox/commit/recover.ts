import type { CommitSettings, Mailbox } from './settings.ts';

/**
 * - `none`: no journal. `discarded`: a commit that never began. `finished`: it had been done.
 * - `rolled forward`: the mailbox was changed just now; scan it again.
 * - `conflict`: the mailbox is another file than the journal's; the journal is kept at `keptPath`, an operator must look.
 */
export type Recovery =
  | { readonly kind: 'none' | 'discarded' | 'finished' | 'rolled forward' }
  | { readonly kind: 'conflict'; readonly keptPath: string };

/** Finishes what a dead process or a failed disk left. Throws CommitError (`pending`) if it cannot yet. */
export declare function recoverMailbox(mailbox: Mailbox, settings: CommitSettings): Promise<Recovery>;
