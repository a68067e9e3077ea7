import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Failure, type Identity, type Logger } from 'popperd';

import { type CommitSettings, type Files, poolReserve } from './commit/index.ts';
import type { IndexCache } from './index-cache.ts';
import { IndexFile } from './index-file.ts';
import type { LockSettings } from './mailbox-lock.ts';
import type { Options } from './options.ts';
import type { Trust } from './spool-file.ts';
import { type SpoolPath, spoolPathOf } from './spool-path.ts';
import type { WindowPool } from './window-pool.ts';

/** What all mailboxes of a process share. */
export interface Surroundings {
  readonly files: Files;
  readonly options: Options;
  /** Relative spool templates are taken from here. */
  readonly baseFolder: string;
  readonly log: Logger;
  readonly cache: IndexCache;
  readonly windows: WindowPool;
  readonly tryDotlock: LockSettings['tryDotlock'];
  /** Which start of the machine this is. */
  readonly bootId: string;
  /** Spool folders in which no dotlock can be made, told once each. */
  readonly forbiddenFolders: Set<string>;
  /** Groups of spool folders, which do not change while the daemon runs. */
  readonly folderGroups: Map<string, number | undefined>;
}

/** Where one mailbox and what belongs to it lie, and how it is dealt with. */
export interface Place {
  readonly path: string;
  readonly trust: Trust;
  readonly indexFile: IndexFile;
  /** The index that a deletion will leave, where it cannot be found out afterwards; see `removal.ts`. */
  readonly nextIndexFile: IndexFile;
  /** Where the copy is made that a session is served from; see `temporaryMaildrop`. */
  readonly copyPath: string;
  /** Which messages of a temporary drop are in the mailbox; see `takeOverTemporaryDrop`. */
  readonly takenPath: string;
  readonly locks: LockSettings;
  readonly commit: CommitSettings;
  readonly surroundings: Surroundings;
}

/** The user's mailbox path. Throws a Failure (SYS/PERM) for a name that leads nowhere. */
export function mailboxPathOf(identity: Identity, surroundings: Surroundings): SpoolPath {
  try {
    return spoolPathOf(surroundings.options.spool, identity, surroundings.baseFolder);
  } catch (cause) {
    throw new Failure('no maildrop for this user', { code: 'SYS/PERM', cause });
  }
}

/** `folder` holds the state of the uid that serves the mailbox. */
export function placeOf(path: string, trust: Trust, folder: string, surroundings: Surroundings): Place {
  const { files, options } = surroundings;
  const name = hash('sha256', path, 'hex');
  const journalFolder = journalFolderOf(folder);
  const indexAt = (fileName: string): IndexFile =>
    new IndexFile(files, join(folder, fileName), options.fsync !== 'never');
  return {
    path,
    trust,
    indexFile: indexAt(`${name}.index`),
    nextIndexFile: indexAt(`${name}.next-index`),
    copyPath: join(folder, `${name}.copy`),
    takenPath: join(folder, `${name}.taken`),
    locks: {
      ...options,
      files,
      tryDotlock: surroundings.tryDotlock,
      onForbidden: (mailbox) => sayForbidden(mailbox, surroundings),
      onTaken: (mailbox) =>
        surroundings.log.warn(
          'another program broke our dotlock while mail was removed; fcntl alone kept it out',
          {
            path: mailbox,
          },
        ),
      onLeftLocked: (mailbox, error) =>
        surroundings.log.error('a lock could not be let go; deliveries wait for it', {
          path: mailbox,
          error,
        }),
    },
    commit: {
      files,
      journalFolder,
      fsync: options.fsync,
      chunkOctets: options.chunkOctets,
      ...(options.reservedJournals > 0 && { reserve: poolReserve(files, reserveFolderOf(folder)) }),
    },
    surroundings,
  };
}

/**
 * Journals have a folder in which hardly anything else lies: there is room for one more name in it on a full disk, while
 * a folder of many indexes and locks might have to grow.
 */
export const journalFolderOf = (folder: string): string => join(folder, 'journals');

export const reserveFolderOf = (folder: string): string => join(folder, 'reserve');

/** The folder whose group may write to the mboxes below it: none in a home, whose group is its owner's affair. */
export const spoolFolderOf = (template: string, root: string): string | undefined =>
  template.startsWith('{home}/') ? undefined : root;

/** Whose file an mbox may be. */
export async function trustOf(
  spoolFolder: string | undefined,
  uid: number,
  surroundings: Surroundings,
): Promise<Trust> {
  const { options } = surroundings;
  const { mailGroup = await groupOf(spoolFolder, surroundings) } = options;
  return { owner: options.owner ?? uid, mailGroup };
}

async function groupOf(
  folder: string | undefined,
  { folderGroups }: Surroundings,
): Promise<number | undefined> {
  if (folder === undefined) return undefined;
  if (folderGroups.has(folder)) return folderGroups.get(folder);
  const group = await groupOfFolder(folder);
  folderGroups.set(folder, group);
  return group;
}

/** A spool folder may well be a symbolic link: it is the operator's. */
async function groupOfFolder(folder: string): Promise<number | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found?.gid;
}

function sayForbidden(path: string, { forbiddenFolders, log }: Surroundings): void {
  const folder = dirname(path);
  if (forbiddenFolders.has(folder)) return;
  forbiddenFolders.add(folder);
  log.warn('no dotlocks: the spool folder lets this user make no files; fcntl locks alone are used', {
    folder,
  });
}
