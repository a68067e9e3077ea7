import { join } from 'node:path';

import type { Files } from './files.ts';
import { readHeader } from './journal.ts';

/** A journal that waits for recovery. */
export interface PendingJournal {
  readonly journalPath: string;
  /** undefined if the header cannot be read: nothing was changed yet, and the mailbox's next open takes it away. */
  readonly mailboxPath: string | undefined;
}

/** The journals in a folder. To know only whether there are any, look for names that end in `.j`. */
export async function pendingJournals(files: Files, folder: string): Promise<readonly PendingJournal[]> {
  const names = (await files.readFolder(folder)).filter((name) => name.endsWith('.j'));
  return await Promise.all(names.map((name) => pendingJournal(files, join(folder, name))));
}

async function pendingJournal(files: Files, journalPath: string): Promise<PendingJournal> {
  const file = await files.open(journalPath, 'read');
  try {
    return { journalPath, mailboxPath: (await readHeader(file))?.mailboxPath };
  } finally {
    await file.close();
  }
}
