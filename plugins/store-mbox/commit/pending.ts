import { join } from 'node:path';

import type { Files } from './files.ts';
import { isPending, journalPathOf, readHeader } from './journal.ts';
import type { CommitSettings } from './settings.ts';

/** Whether recovery may have something to do for this mailbox: a look at one name. */
export async function isMailboxPending(mailboxPath: string, settings: CommitSettings): Promise<boolean> {
  return isPending(await settings.files.lstat(journalPathOf(settings.journalFolder, mailboxPath)), settings);
}

/** A journal that waits for recovery. */
export interface PendingJournal {
  readonly journalPath: string;
  /** undefined if the header cannot be read: nothing was changed yet, and the mailbox's next open takes it away. */
  readonly mailboxPath: string | undefined;
}

/** The journals in a folder that wait. */
export async function pendingJournals(files: Files, folder: string): Promise<readonly PendingJournal[]> {
  const found: PendingJournal[] = [];
  for (const name of await files.readFolder(folder)) {
    const journalPath = join(folder, name);
    if (!name.endsWith('.j') || !isPending(await files.lstat(journalPath), {})) continue;
    found.push({ journalPath, mailboxPath: await mailboxPathIn(files, journalPath) });
  }
  return found;
}

async function mailboxPathIn(files: Files, journalPath: string): Promise<string | undefined> {
  const file = await files.open(journalPath, 'read');
  try {
    return (await readHeader(file))?.mailboxPath;
  } finally {
    await file.close();
  }
}
