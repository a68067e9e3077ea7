/** What the core itself needs of the configuration, checked and complete. */
export interface Settings {
  /** Failed logins after which the connection is closed: 1 or more (RFC 1939 section 4 allows it). */
  readonly maxAuthFailures: number;
  /** Milliseconds until a plugin that has not answered counts as hung. */
  readonly hookDeadlineMs: number;
}

export const defaultSettings: Settings = { maxAuthFailures: 3, hookDeadlineMs: 30_000 };
