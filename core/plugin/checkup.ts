/** What `popper check` hands to each plugin: a place for what it found out about its own files and servers. */
export interface Checkup {
  /** Something is as it should be. */
  fine(what: string): void;
  /** The daemon will run, and somebody may be surprised. `fix` says what to do. */
  warning(what: string, fix: string): void;
  /** The daemon, or some user, will not be served. `fix` says what to do. */
  problem(what: string, fix: string): void;
}
