import { hostname } from 'node:os';

/** Where to wait for clients. */
export type Listen =
  /**
   * `host` is an IPv4 or IPv6 address or a name; without it, every address of both families. With `tls` the client begins
   * with a handshake, as on port 995 (RFC 8314).
   */
  | { readonly host?: string; readonly port: number; readonly tls?: boolean; readonly proxy?: Proxies }
  /** A unix socket; `mode` is its permission bits (default 0o660). */
  | { readonly path: string; readonly mode?: number; readonly proxy?: Proxies }
  /**
   * A listening socket that whoever started popper has opened for it: systemd, which calls it so (`FileDescriptorName=`). Where
   * several have that name, the second entry is the second of them.
   */
  | { readonly inherited: string; readonly tls?: boolean; readonly proxy?: Proxies };

/** Who opens connections for others, and says for whom in a PROXY header (version 1 or 2) before the client's first octet. */
export interface Proxies {
  /** Addresses (`::1`), networks (`10.0.0.0/8`), or `unix` for all who come over a unix socket. */
  readonly from: readonly string[];
}

/** Where an operator talks to the daemon, and who may: its owner, and where there is a group, its members. */
export interface ControlAddress {
  /** Absolute path of a unix socket. */
  readonly path: string;
  /** Permission bits. Default 0o600, and 0o660 with a group. */
  readonly mode?: number;
  /** A group's name or number. */
  readonly group?: string | number;
}

/** The certificate that the server shows, and what it is served with. */
export interface TlsSettings {
  /** Absolute path of a PEM file: the server's own certificate first, then those that lead to a root. */
  readonly certificate: string;
  /** Absolute path of the PEM file with its private key, which no passphrase locks. */
  readonly key: string;
  /** The oldest version of TLS that is spoken (RFC 8996). */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** Where a password may be sent without TLS: nowhere, to clients on this machine only, or everywhere. */
export type CleartextLogin = 'never' | 'loopback' | 'always';

/** What may be at one time. */
export interface Limits {
  /** Connections in all. */
  readonly connections: number;
  /**
   * Connections of one address. An IPv6 client's address is its /64 network; clients of a unix socket have none, and only the
   * limit in all holds for them.
   */
  readonly connectionsPerAddress: number;
  /** Connections of one network, an IPv4 /24 or an IPv6 /48. Undefined: as many as there are in all. */
  readonly connectionsPerNetwork?: number | undefined;
  /** Sessions of one user who has logged in. Undefined: as many as there are connections. */
  readonly sessionsPerUser?: number | undefined;
}

/** The processes that are users, with `isolation: 'user'`. */
export interface WorkerSettings {
  /** Processes that have loaded everything and wait for the next user: 0 or more. */
  readonly spares: number;
  /** Users who are served at one time, each by a process of his own: 1 or more. */
  readonly maxUsers: number;
  /** Milliseconds that a login waits for its turn when there are so many. */
  readonly patienceMs: number;
  /** Milliseconds that a process without a session is kept for the user's next one. */
  readonly idleMs: number;
}

/** What the core and the server need of the configuration, checked and complete. */
export interface Settings {
  readonly listen: readonly Listen[];
  /** Absolute path of the folder for indexes, locks and journals. */
  readonly stateDir: string;
  /** Undefined: there is no control socket. */
  readonly control: ControlAddress | undefined;
  /** Undefined: TLS is not spoken, and there is no STLS. */
  readonly tls?: TlsSettings | undefined;
  readonly cleartextLogin: CleartextLogin;
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
  readonly limits: Limits;
  /** Processes that serve clients; `auto`: one for each core. With 1 there is no master above it. */
  readonly fronts: number | 'auto';
  /** Milliseconds without a sign of life after which a front is ended and replaced. */
  readonly blockedTimeoutMs: number;
  /** Milliseconds that sessions of before a reload may go on. */
  readonly retireTimeoutMs: number;
  /** Who runs what: one mail user everything, or each user his own sessions. */
  readonly isolation: 'none' | 'user';
  /** The system's account that fronts run as with `isolation: 'user'`. */
  readonly user: string;
  /** The one that checks passwords there; undefined for root. */
  readonly authUser: string | undefined;
  /** With `isolation: 'user'` nobody with a lower uid is served: 1 or more. */
  readonly minUid: number;
  readonly workers: WorkerSettings;
  /** Whose words the replies are in: popper's own, or the classic popper's. */
  readonly replies: 'plain' | 'classic';
  /** What this machine is called in replies. */
  readonly hostname: string;
  /** Removes what is marked also where a client goes without QUIT, as the classic popper did. */
  readonly updateOnAbort: boolean;
  /** Asks the system for SO_DEBUG on every TCP connection. */
  readonly socketDebug: boolean;
  /** Whose words the log is in: popper's own, or the classic popper's for what happens in a session. */
  readonly logStyle: 'plain' | 'classic';
}

export const defaultSettings = {
  control: undefined,
  cleartextLogin: 'loopback',
  idleTimeoutMs: 600_000,
  loginTimeoutMs: 60_000,
  stopTimeoutMs: 30_000,
  maxAuthFailures: 3,
  hookDeadlineMs: 30_000,
  limits: { connections: 10_000, connectionsPerAddress: 100, sessionsPerUser: 20 },
  fronts: 'auto',
  blockedTimeoutMs: 10_000,
  retireTimeoutMs: 86_400_000,
  isolation: 'none',
  user: 'popper',
  authUser: undefined,
  minUid: 1000,
  workers: { spares: 2, maxUsers: 100, patienceMs: 10_000, idleMs: 60_000 },
  replies: 'plain',
  hostname: hostname(),
  updateOnAbort: false,
  socketDebug: false,
  logStyle: 'plain',
} as const satisfies Omit<Settings, 'listen' | 'stateDir'>;
