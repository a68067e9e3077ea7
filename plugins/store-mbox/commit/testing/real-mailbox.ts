import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Files } from '../files.ts';
import { realFiles } from '../real-files.ts';
import type { CommitSettings, Mailbox } from '../settings.ts';

/** A mailbox on the real file system, in a folder that is removed afterwards. */
export interface RealMailbox {
  readonly mailbox: Mailbox;
  readonly settings: CommitSettings;
  readonly folder: string;
  readonly content: () => Promise<Buffer>;
}

/** Opens a mailbox with this content, lets `use` have it, and cleans up. */
export async function withMailbox(
  content: Uint8Array,
  use: (real: RealMailbox) => Promise<void>,
  files: Files = realFiles,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-commit-'));
  try {
    const path = join(folder, 'user');
    const journalFolder = join(folder, 'journals');
    await writeFile(path, content);
    await files.createFolder(journalFolder);
    await files.createFolder(join(folder, 'pool'));
    const file = await files.open(path, 'read-write');
    try {
      const settings = { files, journalFolder };
      await use({ mailbox: { path, file }, settings, folder, content: () => readFile(path) });
    } finally {
      await file.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
