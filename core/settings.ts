/** Where to wait for clients. */
export type Listen =
  /** `host` is an IPv4 or IPv6 address or a name; without it, every address of both families. */
  | { readonly host?: string; readonly port: number }
  /** A unix socket; `mode` is its permission bits (default 0o660). */
  | { readonly path: string; readonly mode?: number };

/** What the core and the server need of the configuration, checked and complete. */
export interface Settings {
  readonly listen: readonly Listen[];
  /** Absolute path of the folder for indexes, locks and journals. */
  readonly stateDir: string;
  /** Milliseconds that a silent client is kept after login (RFC 1939 section 3 asks for 600 000 or more). */
  readonly idleTimeoutMs: number;
  /** Milliseconds from connecting to being logged in: an absolute deadline. */
  readonly loginTimeoutMs: number;
  /** Milliseconds that a stop waits for commands at work. */
  readonly stopTimeoutMs: number;
  /** Failed logins after which the connection is closed: 1 or more (RFC 1939 section 4 allows it). */
  readonly maxAuthFailures: number;
  /** Milliseconds until a plugin that has not answered counts as hung. */
  readonly hookDeadlineMs: number;
  /**
   * Connections at one time, in all and of one address. An IPv6 client's address is its /64 network; clients of a unix
   * socket have none, and only the limit in all holds for them.
   */
  readonly limits: { readonly connections: number; readonly connectionsPerAddress: number };
}

export const defaultSettings = {
  idleTimeoutMs: 600_000,
  loginTimeoutMs: 60_000,
  stopTimeoutMs: 30_000,
  maxAuthFailures: 3,
  hookDeadlineMs: 30_000,
  limits: { connections: 10_000, connectionsPerAddress: 100 },
} as const satisfies Omit<Settings, 'listen' | 'stateDir'>;
