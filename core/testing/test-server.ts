import { createCore, type Core } from '../core.ts';
import { loggerTo, type LogRecord } from '../log/logger.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { LooksAsOthers, KnownUsers, whoServes } from '../plugin/checkup.ts';
import type { Plugin } from '../plugin/plugin.ts';
import { inProcess } from '../session/authority.ts';
import { openMaildrop } from '../session/open-maildrop.ts';
import type { SessionReport } from '../session/report.ts';
import { runSession } from '../session/run-session.ts';
import { defaultSettings, type Settings } from '../settings.ts';
import type { Client } from './client.ts';
import { type Departure, MemoryChannel, type Turn } from './memory-channel.ts';
import { identityOf } from './memory-host.ts';
import { MemoryState } from './memory-state.ts';

export interface TestServerOptions {
  readonly settings?: Partial<Settings>;
  readonly state?: MemoryState;
  /** The folder that relative paths in options are taken from. */
  readonly baseFolder?: string;
}

/** One session as it went. */
export interface Recording {
  /** What the server said, line by line. */
  readonly said: readonly string[];
  /** The same as octets. */
  readonly octets: Uint8Array;
  readonly turns: readonly Turn[];
  /** What `sessionEnd` was told; one report is right. */
  readonly reports: readonly SessionReport[];
}

/** What a plugin said of its own files and servers. */
export interface Finding {
  readonly kind: 'fine' | 'warning' | 'problem';
  /** Whose look found it. */
  readonly plugin: string;
  readonly what: string;
  readonly fix?: string;
}

/** Its clients have no TLS, for there are no sockets, and a password is taken from them all the same. */
const here = { listen: [], stateDir: '/nonexistent', cleartextLogin: 'always' } as const;

/** A popper without sockets, processes or configuration: plugins, and sessions with clients that are lists. */
export class TestServer {
  readonly state: MemoryState;
  /** Everything logged so far, sessions and plugins together. */
  readonly log: LogRecord[] = [];
  readonly #core: Core;
  readonly #reports: SessionReport[] = [];
  #sessions = 0;

  /** Throws as the daemon does where a plugin cannot be applied. */
  constructor(plugins: readonly Plugin[], { settings, state, baseFolder = '/' }: TestServerOptions = {}) {
    this.state = state ?? new MemoryState();
    this.#core = createCore(plugins, {
      settings: { ...defaultSettings, ...here, ...settings },
      log: loggerTo((record) => this.log.push(record)),
      state: this.state,
      baseFolder,
    });
    this.#core.hooks.sessionEnd.tapPromise('test-server', async (report) => void this.#reports.push(report));
  }

  /** What the server says to this client, line by line. */
  async converse(client: Client): Promise<readonly string[]> {
    return (await this.record(client)).said;
  }

  async record(client: Client, departure: Departure = {}): Promise<Recording> {
    this.#sessions += 1;
    const id = `session-${this.#sessions}`;
    const channel = new MemoryChannel(client, id, departure);
    await runSession(channel, this.#core, inProcess(this.#core));
    const { turns } = channel;
    const octets = Buffer.concat(turns.filter(({ by }) => by === 'server').map((turn) => turn.octets));
    const reports = this.#reports.filter((report) => report.id === id);
    return { said: linesOf(octets), octets, turns, reports };
  }

  /** Opens a maildrop as a login does: the store that knows the user, and what other plugins wrap around it. */
  async open(user: string, signal: AbortSignal = new AbortController().signal): Promise<Maildrop> {
    return openMaildrop(identityOf(user), signal, this.#core);
  }

  /** Everything that plugins do before the first port is open. */
  async start(): Promise<void> {
    await this.#core.hooks.start.promise('all');
  }

  /** Tells plugins what they hear once the ports are open: there are none here, so it is for the test to say where. */
  async listening(addresses: readonly string[]): Promise<void> {
    await this.#core.hooks.listening.promise(addresses);
  }

  async recover(uid: number): Promise<void> {
    await this.#core.hooks.recover.promise(uid);
  }

  /** What `popper check` asks plugins, and what they found. Nobody's rights are changed for it. */
  async check(): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const users = new KnownUsers();
    const others = new LooksAsOthers();
    await this.#core.hooks.check.promise({
      fine: (what, plugin) => findings.push({ kind: 'fine', plugin, what }),
      warning: (what, fix, plugin) => findings.push({ kind: 'warning', plugin, what, fix }),
      problem: (what, fix, plugin) => findings.push({ kind: 'problem', plugin, what, fix }),
      canLogIn: users.canLogIn,
      withUsers: users.withUsers,
      actAs: others.actAs,
      ...whoServes(this.#core.settings),
    });
    await users.lookAtAll(failed);
    others.lookAtAll((_, look) => look(), failed);
    return findings;
  }

  /** Everything that plugins do at the end, and the temporary folders are gone. */
  async stop(): Promise<void> {
    try {
      await this.#core.hooks.stop.promise('all');
    } finally {
      await this.state.remove();
    }
  }
}

function failed(error: unknown): never {
  throw error;
}

/** One session of these plugins with this client: what the server said, line by line. */
export async function converse(plugins: readonly Plugin[], client: Client): Promise<readonly string[]> {
  const server = new TestServer(plugins);
  try {
    return await server.converse(client);
  } finally {
    await server.stop();
  }
}

/** Lines without their CRLF; what comes after the last one, if there is anything, is the last. */
export function linesOf(octets: Uint8Array): readonly string[] {
  const lines = Buffer.from(octets).toString('latin1').split('\r\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
