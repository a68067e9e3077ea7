import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';

import { Failure, type Identity, type Logger } from 'popperd';

import { type CommitSettings, type Files, poolReserve } from './commit/index.ts';
import type { IndexCache } from './index-cache.ts';
import { IndexFile } from './index-file.ts';
import type { LockSettings } from './mailbox-lock.ts';
import type { Options } from './options.ts';
import type { Trust } from './spool-file.ts';
import { spoolPathOf } from './spool-path.ts';

/** What all mailboxes of a process share. */
export interface Surroundings {
  readonly files: Files;
  readonly options: Options;
  /** Relative spool templates are taken from here. */
  readonly baseFolder: string;
  readonly log: Logger;
  readonly cache: IndexCache;
  /** Which start of the machine this is. */
  readonly bootId: string;
  /** Spool folders in which no dotlock can be made, told once each. */
  readonly forbiddenFolders: Set<string>;
  /** Groups of the spool roots, which do not change while the daemon runs. */
  readonly rootGroups: Map<string, number | undefined>;
}

/** Where one mailbox and what belongs to it lie, and how it is dealt with. */
export interface Place {
  readonly path: string;
  readonly trust: Trust;
  readonly indexFile: IndexFile;
  /** The index that a deletion will leave, where it cannot be found out afterwards; see `removal.ts`. */
  readonly nextIndexFile: IndexFile;
  readonly locks: LockSettings;
  readonly commit: CommitSettings;
  readonly surroundings: Surroundings;
}

/** The user's mailbox path. Throws a Failure (SYS/PERM) for a name that leads nowhere. */
export function mailboxPathOf(
  identity: Identity,
  surroundings: Surroundings,
): { path: string; root: string } {
  try {
    return spoolPathOf(surroundings.options.spool, identity, surroundings.baseFolder);
  } catch (cause) {
    throw new Failure('no maildrop for this user', { code: 'SYS/PERM', cause });
  }
}

/** `folder` holds the state of the uid that serves the mailbox. */
export function placeOf(path: string, trust: Trust, folder: string, surroundings: Surroundings): Place {
  const { files, options } = surroundings;
  const name = createHash('sha256').update(path).digest('hex');
  return {
    path,
    trust,
    indexFile: new IndexFile(files, join(folder, `${name}.index`)),
    nextIndexFile: new IndexFile(files, join(folder, `${name}.next-index`)),
    locks: { ...options, files, onForbidden: (mailbox) => sayForbidden(mailbox, surroundings) },
    commit: {
      files,
      journalFolder: folder,
      fsync: options.fsync,
      chunkOctets: options.chunkOctets,
      ...(options.reservedJournals > 0 && { reserve: poolReserve(files, reserveFolderOf(folder)) }),
    },
    surroundings,
  };
}

export const reserveFolderOf = (folder: string): string => join(folder, 'reserve');

/** Whose file an mbox below this root may be. */
export async function trustOf(root: string, uid: number, surroundings: Surroundings): Promise<Trust> {
  const { options } = surroundings;
  const mailGroup = options.mailGroup ?? (await groupOf(root, surroundings));
  return { owner: options.owner ?? uid, mailGroup };
}

async function groupOf(root: string, { files, rootGroups }: Surroundings): Promise<number | undefined> {
  if (rootGroups.has(root)) return rootGroups.get(root);
  const stat = await files.lstat(root);
  // A home folder's group is its owner's affair; a spool's is the mail system's.
  const group = stat?.kind === 'folder' ? stat.gid : undefined;
  rootGroups.set(root, group);
  return group;
}

function sayForbidden(path: string, { forbiddenFolders, log }: Surroundings): void {
  const folder = dirname(path);
  if (forbiddenFolders.has(folder)) return;
  forbiddenFolders.add(folder);
  log.warn('no dotlocks: the spool folder lets this user make no files; fcntl locks alone are used', {
    folder,
  });
}
