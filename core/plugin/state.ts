import type { Identity } from '../auth/login.ts';

/** The one session lock, held. The kernel lets it go when the process dies. */
export interface Claim {
  release(): Promise<void>;
}

/** State on disk, as plugins see it. */
export interface PluginState {
  /**
   * The folder of the daemon as a whole, for what concerns all of its processes: each can read files there by their names,
   * and only whoever started the daemon can write them. Names of digits are taken. It is there once the daemon has been started.
   */
  readonly folder: string;
  /** A folder of this identity's own (0700, owned by the uid that serves it), made when it is not there. */
  folderOf(identity: Identity): Promise<string>;
  /**
   * The folders that are there, for `recover`: one for each uid that has ever been served. With `isolation: 'user'` a process
   * is begun for a uid that has not logged in only where, in the folder `journals` of its own, a file does not end in `.j`, or is
   * longer than 4096 octets: root tells by names and sizes what is half done.
   */
  folderOfUid(uid: number): string;
  /**
   * Takes the lock on `key` (a store names it: the mailbox's path, say) for this identity, waiting a second at most for a session that is just
   * ending. Throws a
   * Failure with the code IN-USE where another session has it, in this process or in any other.
   */
  claim(identity: Identity, key: string): Promise<Claim>;
}
