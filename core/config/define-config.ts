import type { Plugin } from '../plugin/plugin.ts';
import type { ControlAddress, Listen, CleartextLogin, TlsSettings, WorkerSettings } from '../settings.ts';
import type { Flags } from './flags.ts';

export interface Config {
  /** Any number of addresses. `host` is an IPv4 or IPv6 address; without it, all of both. `tls`: from the first octet on. */
  readonly listen: readonly Listen[];
  /** Where the daemon keeps indexes, locks and journals; relative to the config file. */
  readonly stateDir: string;
  /**
   * The unix socket on which `popper who` and the like talk to the daemon: its path (default: `control.sock` in stateDir), its
   * permission bits (default 0o600) and the group that may use it. False: there is none.
   */
  readonly control?: Partial<ControlAddress> | false;
  /** The server's certificate: paths of PEM files, relative to the config file. With it there is STLS. */
  readonly tls?: Pick<TlsSettings, 'certificate' | 'key'> & {
    /** Default TLSv1.2. */
    readonly minVersion?: TlsSettings['minVersion'];
  };
  /** Who may send a password without TLS; `loopback`, the default: clients on this machine. */
  readonly cleartextLogin?: CleartextLogin;
  /** How long a silent client is kept after login, in milliseconds. RFC 1939 section 3 asks for 600 000 or more. */
  readonly idleTimeoutMs?: number;
  /** Milliseconds from connecting to being logged in: an absolute deadline. Default 60 000. */
  readonly loginTimeoutMs?: number;
  /** Failed logins after which the connection is closed. Default 3. */
  readonly maxAuthFailures?: number;
  /** Milliseconds until a plugin that has not answered counts as hung. Default 30 000. */
  readonly hookDeadlineMs?: number;
  /** Milliseconds that a stop waits for commands at work. Default 30 000. */
  readonly stopTimeoutMs?: number;
  readonly limits?: {
    /** Connections in all. Default 10 000. */
    readonly connections?: number;
    /** Connections of one address. Default 100. */
    readonly connectionsPerAddress?: number;
    /** Connections of one network, an IPv4 /24 or an IPv6 /48. Default: as many as there are in all. */
    readonly connectionsPerNetwork?: number;
    /** Sessions of one user who has logged in. Default 20. */
    readonly sessionsPerUser?: number;
  };
  /**
   * Processes that serve clients side by side; `auto`, the default: one for each core. With 1 there is no master above it, so a
   * reload is a restart.
   */
  readonly fronts?: number | 'auto';
  /**
   * Milliseconds without a sign of life after which a front is ended and replaced, and a user's process is ended with `isolation: 'user'`.
   * Default 10 000.
   */
  readonly blockedTimeoutMs?: number;
  /** Milliseconds that sessions of before a reload may go on. Default a day. */
  readonly retireTimeoutMs?: number;
  readonly log?: {
    readonly level?: 'debug' | 'info' | 'warn' | 'error';
    /** `auto`: readable on a terminal, JSON otherwise. */
    readonly format?: 'auto' | 'json' | 'pretty';
  };
  /**
   * Who runs what. `none`, the default: each front, as one mail user, does it all. `user`: popper is started as root; fronts are an
   * account of their own, and after the login a session is served by a process that is its user.
   */
  readonly isolation?: 'none' | 'user';
  /** With `isolation: 'user'`, the system's account that fronts run as. It owns no mail. Default `popper`. */
  readonly user?: string;
  /**
   * With `isolation: 'user'`, the system's account that checks passwords, another one than `user`; it is in its own group and no other, and
   * has to be able to read what the auth plugins read. Default: root, for PAM, `/etc/shadow` and files that only root reads.
   */
  readonly authUser?: string;
  /**
   * With `isolation: 'user'`, nobody with a lower uid is served. Default 1000, where Debian and most other systems begin to count
   * people: below it are accounts of services, whose files a process with their uid could change, popper's own among them.
   */
  readonly minUid?: number;
  /**
   * With `isolation: 'user'`, the processes that are users: how many wait for the next one (`spares`, default 2), how many
   * users are served at one time (`maxUsers`, default 100; some 40 MB each), how many milliseconds a login waits where there are so many
   * (`patienceMs`, default 10 000), and for how many milliseconds a process without a session is kept for its user's next one
   * (`idleMs`, default 60 000): it takes its memory and its place among `maxUsers`, which it makes free where somebody waits for one.
   */
  readonly workers?: Partial<WorkerSettings>;
  /**
   * Whose words replies are in: `plain`, popper's own (the default), or `classic`, those of the classic popper, for clients and
   * scripts that look at them.
   */
  readonly replies?: 'plain' | 'classic';
  /** What this machine is called in replies that name it. Default: as the system says. */
  readonly hostname?: string;
  /**
   * Removes what is marked also where the client goes without QUIT or is silent for too long, as the classic popper did. RFC 1939
   * sections 3 and 6 forbid it, and a broken connection then removes mail. Default false.
   */
  readonly updateOnAbort?: boolean;
  /** Asks the system to trace TCP connections (SO_DEBUG), which only root may. Default false. */
  readonly socketDebug?: boolean;
  /**
   * Whose words the log is in: `plain`, popper's own (the default), or `classic`, those of the classic popper for logins, probes, errors
   * and timeouts, which filters of fail2ban and scrapers look for. The fields of a record are the same.
   */
  readonly logStyle?: 'plain' | 'classic';
  /** In the order in which they are to act. A false entry is left out. In JSON and YAML: names, or [name, options]. */
  readonly plugins: readonly (Plugin | false | undefined)[];
}

/** What a config file exports: the configuration, or a function that makes it from the command line. */
export type ConfigFile = Config | ((command: { readonly flags: Flags }) => Config);

/** Gives back what it gets: it is there for the types, in an editor. */
export const defineConfig = (config: ConfigFile): ConfigFile => config;
