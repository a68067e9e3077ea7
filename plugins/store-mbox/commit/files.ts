/** What kind of thing a name leads to; a symbolic link is never followed. */
export type FileKind = 'file' | 'folder' | 'link' | 'other';

/** The facts of an inode that the store compares. Times are nanoseconds since the epoch. */
export interface FileStat {
  readonly kind: FileKind;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly octets: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits only. */
  readonly mode: number;
}

/** An open file. Positions are octets from its start; nothing here moves a shared file offset. */
export interface OpenFile {
  /** For lock calls only. */
  readonly descriptor: number;
  stat(): Promise<FileStat>;
  /** Fills `target` from `position` on; answers fewer octets only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `source` or throws; a file too short grows, and what lies between reads as zeros. */
  write(source: Uint8Array, position: number): Promise<void>;
  /** Cuts the file, or grows it with zeros. */
  truncate(octets: number): Promise<void>;
  /** fsync. `point` names the place in the code and its reason, for tests and traces. */
  sync(point: string): Promise<void>;
  /** fdatasync: content, and whatever is needed to read it back. */
  dataSync(point: string): Promise<void>;
  close(): Promise<void>;
}

/** `create` fails with EEXIST if the name is taken, and makes a file that only its owner can read. */
export type OpenMode = 'read' | 'read-write' | 'create';

/**
 * Everything the store does to files goes through here, so that a test can put a failing disk, a full one or one
 * that loses power behind the real code. Errors are those of Node, with `code`.
 */
export interface Files {
  /** Follows no symbolic link (ELOOP) and does not hang on a fifo; the caller still checks `stat().kind`. */
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** undefined if there is no such name. */
  lstat(path: string): Promise<FileStat | undefined>;
  /** Throws EROFS, EACCES or EPERM where this process may not write to the file. Opens nothing: who watches it sees nothing. */
  checkWritable(path: string): Promise<void>;
  /** Replaces `to` if it exists. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; EEXIST if `to` is taken. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Mode 0700; missing parents are an error, a folder that is there already is none. */
  createFolder(path: string): Promise<void>;
  /** Makes names created, renamed or removed in the folder durable. */
  syncFolder(path: string, point: string): Promise<void>;
  /** Names in the folder, unsorted; none if the folder is missing. */
  readFolder(path: string): Promise<readonly string[]>;
  /** Differs after each start of the machine; undefined where the system does not tell. */
  bootId(): Promise<string | undefined>;
}

/** The `code` of a system error, such as ENOSPC; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** On NFS: the server has no such file any more, because another host has removed it, or put another in its place. */
export const isStale = (error: unknown): boolean =>
  error instanceof Error && [error, error.cause].some((one) => errorCode(one) === 'ESTALE');
