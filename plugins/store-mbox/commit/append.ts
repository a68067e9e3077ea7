import type { CommitResult } from './commit.ts';
import type { CommitSettings, Mailbox } from './settings.ts';

/**
 * Appends `content` (whole messages, each beginning with its From_ line) to the mailbox, durably. All or nothing.
 * Throws CommitError.
 */
export declare function appendMessages(
  mailbox: Mailbox,
  content: Uint8Array,
  settings: CommitSettings,
): Promise<CommitResult>;
