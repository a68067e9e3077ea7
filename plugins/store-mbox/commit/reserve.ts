import type { Files } from './files.ts';

/** Lends files whose disk space is already taken, for journals of commits on a full disk. */
export interface Reserve {
  /** Moves a reserve to `journalPath` and answers true, or false if there is none left. */
  lend(journalPath: string): Promise<boolean>;
  /** Takes back what was lent; the name `journalPath` is free afterwards. */
  giveBack(journalPath: string): Promise<void>;
}

/** A pool of reserves in a folder on the journals' file system. */
export declare function poolReserve(files: Files, folder: string): Reserve;
/** Makes reserves until there are `count`; answers how many there are now. */
export declare function fillReserve(
  files: Files,
  folder: string,
  wanted: { readonly count: number; readonly octets: number },
): Promise<number>;
