import type { Plugin } from '../plugin/plugin.ts';
import type { Listen } from '../settings.ts';

/** What the command line said, for a config file that is a function of it. */
export interface Flags {
  /** `-d`: log at debug. */
  readonly debug: boolean;
  /** `-s`: statistics. */
  readonly statistics: boolean;
  /** `-k`: Kerberos. */
  readonly kerberos: boolean;
  /** `-t FILE`: where to write a trace. */
  readonly trace?: string;
  /** `-T SECONDS`: how long a silent client is kept. */
  readonly timeoutSeconds?: number;
  /** `-b FOLDER`: where the bulletins are. */
  readonly bulletins?: string;
}

export interface Config {
  /** Any number of addresses. `host` is an IPv4 or IPv6 address; without it, all of both. */
  readonly listen: readonly Listen[];
  /** Where the daemon keeps indexes, locks and journals; relative to the config file. */
  readonly stateDir: string;
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
  };
  readonly log?: {
    readonly level?: 'debug' | 'info' | 'warn' | 'error';
    /** `auto`: readable on a terminal, JSON otherwise. */
    readonly format?: 'auto' | 'json' | 'pretty';
  };
  /** Who runs what. `none`: one process, one mail user, does it all. */
  readonly isolation?: 'none';
  /** In the order in which they are to act. A false entry is left out. In JSON and YAML: names, or [name, options]. */
  readonly plugins: readonly (Plugin | false | undefined)[];
}

/** What a config file exports: the configuration, or a function that makes it from the command line. */
export type ConfigFile = Config | ((command: { readonly flags: Flags }) => Config);

/** Gives back what it gets: it is there for the types, in an editor. */
export const defineConfig = (config: ConfigFile): ConfigFile => config;
