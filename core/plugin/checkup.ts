/** What `popper check` hands to each plugin: a place for what it found out about its own files and servers. */
export interface Checkup {
  /** Something is as it should be. */
  fine(what: string): void;
  /** The daemon will run, and somebody may be surprised. `fix` says what to do. */
  warning(what: string, fix: string): void;
  /** The daemon, or some user, will not be served. `fix` says what to do. */
  problem(what: string, fix: string): void;
}

/** The same where all of them report to: each finding comes with the name of the plugin that found it. */
export interface CheckupOfAll {
  fine(what: string, plugin: string): void;
  warning(what: string, fix: string, plugin: string): void;
  problem(what: string, fix: string, plugin: string): void;
}

/** What one plugin of them is handed. */
export const checkupOf = (plugin: string, all: CheckupOfAll): Checkup => ({
  fine: (what) => all.fine(what, plugin),
  warning: (what, fix) => all.warning(what, fix, plugin),
  problem: (what, fix) => all.problem(what, fix, plugin),
});
