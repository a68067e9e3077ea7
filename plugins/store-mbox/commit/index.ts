export { appendMessages } from './append.ts';
export { commitDeletions, type CommitResult } from './commit.ts';
export { CommitError, type CommitState } from './errors.ts';
export {
  errorCode,
  type FileKind,
  type Files,
  type FileStat,
  isStale,
  type OpenFile,
  type OpenMode,
} from './files.ts';
export { realFiles } from './real-files.ts';
export { isMailboxPending, pendingJournals, type PendingJournal } from './pending.ts';
export { recoverMailbox, type Recovery } from './recover.ts';
export { defaultReserveOctets, fillReserve, poolReserve, type Reserve } from './reserve.ts';
export { type NewTail, rewriteTail } from './rewrite.ts';
export { largeBuffers, type Room, takeRoom } from './room.ts';
export type { CommitSettings, Mailbox, SyncPolicy } from './settings.ts';
