import { Failure } from 'popperd';

import { errorCode, type Files, type FileStat, type OpenFile } from './commit/index.ts';

/** Who may own an mbox, and which group may write to it besides. */
export interface Trust {
  readonly owner: number;
  readonly mailGroup: number | undefined;
}

/** An mbox just opened. */
export interface SpoolFile {
  readonly file: OpenFile;
  /** As it was then. */
  readonly stat: FileStat;
}

/**
 * Opens an mbox that lies in a folder others may write to. Follows no link, hangs on no pipe, and takes nothing but the
 * user's own regular file with a single name; whether that name still leads to it the caller has to see. undefined if
 * there is none. Throws a Failure: SYS/PERM where it is not to be trusted or allowed.
 */
export async function openTrusted(
  files: Files,
  path: string,
  mode: 'read' | 'read-write',
  trust: Trust,
): Promise<SpoolFile | undefined> {
  const file = await open(files, path, mode);
  if (file === undefined) return undefined;
  try {
    const stat = await file.stat();
    assertTrusted(path, stat, trust);
    return { file, stat };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The same, and the name leads to it. */
export async function openSpoolFile(
  files: Files,
  path: string,
  mode: 'read' | 'read-write',
  trust: Trust,
): Promise<OpenFile | undefined> {
  // A name that is exchanged between two looks is looked at again; no honest program does that many times in a row.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const opened = await openTrusted(files, path, mode, trust);
    if (opened === undefined) return undefined;
    const { file, stat } = opened;
    try {
      if (isSameInode(stat, await files.lstat(path))) return file;
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
  throw new Failure('the maildrop is being replaced, try again', {
    code: 'SYS/TEMP',
    cause: new Error(`${path}: another file each time it was opened`),
  });
}

/** Throws a Failure that says in its cause what the operator has to change. */
export function assertTrusted(path: string, stat: FileStat, { owner, mailGroup }: Trust): void {
  const complaint = complaintAbout(stat, owner, mailGroup);
  if (complaint === undefined) return;
  const cause = new Error(`${path}: ${complaint}`);
  throw new Failure('the maildrop cannot be opened', { code: 'SYS/PERM', cause });
}

export const isSameInode = (stat: FileStat, other: FileStat | undefined): boolean =>
  other !== undefined && stat.dev === other.dev && stat.ino === other.ino;

function complaintAbout(stat: FileStat, owner: number, mailGroup: number | undefined): string | undefined {
  if (stat.kind !== 'file') return `is ${kinds[stat.kind]}, not a regular file: move it away`;
  if (stat.uid !== owner)
    return `belongs to uid ${stat.uid}, and this user is uid ${owner}: ${giveUid(stat.uid)}`;
  if (stat.nlink > 1) return `has ${stat.nlink} names: remove the other hard links`;
  if ((stat.mode & 0o002) !== 0) return 'everybody may write to it: chmod o-w';
  if ((stat.mode & 0o020) !== 0 && stat.gid !== mailGroup) {
    return `group ${stat.gid} may write to it: chmod g-w, or set the option mailGroup`;
  }
  return undefined;
}

const kinds = { folder: 'a folder', link: 'a link', other: 'a pipe, socket or device' } as const;

/** Not to chown the file: the delivery agent made it, and would be shut out. */
const giveUid = (uid: number): string =>
  `give the user uid ${uid} where logins are decided (popper passwd add FILE USER --uid ${uid}), or, where all mail belongs to one uid, set the option owner`;

async function open(files: Files, path: string, mode: 'read' | 'read-write'): Promise<OpenFile | undefined> {
  try {
    return await files.open(path, mode);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw openFailure(path, error);
  }
}

/** Why this process may not change an mbox; undefined where it may. What else is wrong may have passed when it is changed. */
export async function whyNotChanged(files: Files, path: string): Promise<Failure | undefined> {
  try {
    await files.checkWritable(path);
    return undefined;
  } catch (error) {
    return isForbidden(error) ? mayNotBeChanged(error) : undefined;
  }
}

/** Whether a system error says that it would be the same another time. */
const isForbidden = (error: unknown): boolean =>
  ['EROFS', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '');

export const mayNotBeChanged = (cause?: unknown): Failure =>
  new Failure('the maildrop may not be changed', { code: 'SYS/PERM', cause });

function openFailure(path: string, error: unknown): Failure {
  const code = errorCode(error) ?? '';
  if (isForbidden(error)) return mayNotBeChanged(error);
  const isOdd = code === 'ELOOP' || code === 'ENXIO' || code === 'EISDIR' || code === 'ENOTDIR';
  const cause = isOdd ? new Error(`${path}: not a regular file: move it away`, { cause: error }) : error;
  return new Failure('the maildrop cannot be opened', { code: isOdd ? 'SYS/PERM' : 'SYS/TEMP', cause });
}
