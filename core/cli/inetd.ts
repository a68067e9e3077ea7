import { messageOf } from '../config/error-facts.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { loggerTo } from '../log/logger.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { takeListenVariables } from '../server/activation/variables.ts';
import { alone, type Daemon, startDaemon } from '../server/daemon.ts';
import { OneSession } from '../server/inetd/one-session.ts';
import { openClient } from '../server/inetd/open-client.ts';
import { refuse, type TakenClient } from '../server/inetd/sole-client.ts';
import { planOf } from '../server/ipc/plan.ts';
import { takeNotifyVariables } from '../server/notify/variables.ts';
import type { OpenSession } from '../server/open-sessions.ts';
import { ProcessTitle, titleOfSession } from '../server/process-title.ts';
import { SocketDebug } from '../server/socket-debug.ts';
import { refuseFaulty } from '../server/state-folder.ts';
import { limitYoungGeneration } from '../server/young-generation.ts';
import { childProgram } from './child-program.ts';
import type { CliIo } from './cli-io.ts';
import { configureLoaded, type NamedConfig } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { explain } from './explain.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

interface Surroundings extends Pick<CliIo, 'stdout' | 'stderr'> {
  readonly client: TakenClient;
  /** This process's own. Where standard error was the client's, the errors in it go to the machine's syslog. */
  readonly log: DaemonLog;
}

/** What serves the one client. */
interface Service {
  /** Resolves when the client is served. Rejects with an Error for the operator. */
  readonly start: () => Promise<Parameters<Shutdown['started']>[0]>;
  /** Resolves when nothing is left to do, with whether all went as it should. */
  readonly over: () => Promise<boolean>;
}

/**
 * `popper --inetd`: serves the client that is on standard input, and ends with its session. Gives the exit code: 0 where it was
 * served, whatever that came to. A client whom it cannot serve is told so.
 */
export async function serveInetd(named: NamedConfig, io: CliIo): Promise<number> {
  const { client, stdout, stderr, workingFolder, otherFolders } = io;
  if (client === undefined) throw new TypeError('nobody has looked who is on standard input');
  // Before anybody else's code runs, for it may start processes.
  takeNotifyVariables(process.env);
  takeListenVariables(process.env);
  process.title = idleTitle;
  try {
    const config = await loadConfig({ ...named, workingFolder, otherFolders });
    const log = createLogger({
      ...config.log,
      ...(client.tookErrors && { level: 'error' }),
      stream: stderr,
    });
    limitYoungGeneration();
    const surroundings = { client, log, stdout, stderr };
    const { isolation } = config.settings;
    const service = isolation === 'user' ? byUsers(config, surroundings) : here(config, surroundings);
    return await serveOne(service, config, surroundings);
  } catch (error) {
    refuse(client);
    return explain(error, stderr, workingFolder);
  }
}

/** In this process. */
function here(config: LoadedConfig, { client, log, stdout }: Surroundings): Service {
  // What plugins have no place for is said nowhere: the syslog is no log of sessions unless one makes it so.
  const { core, state } = configureLoaded(config, client.tookErrors ? silent : log);
  let passedOn = Promise.resolve();
  return {
    start: async () => {
      const opened = await openClient(client, 0, stdout);
      ({ passedOn } = opened);
      const daemon = await startDaemon(core, state, { ...alone, ...quietly, clients: opened.clients });
      showSession(daemon);
      return daemon;
    },
    over: async () => {
      await passedOn;
      return true;
    },
  };
}

/** Who is served and with what, for `ps`: `popper: USER ADDRESS COMMAND`. */
function showSession({ sessions }: Daemon): void {
  const title = new ProcessTitle(() => {
    const [session] = sessions.values();
    return session === undefined ? idleTitle : titleOf(session);
  });
  setInterval(() => title.changed(), titleEveryMs).unref();
}

function titleOf({ channel, tally }: OpenSession): string {
  const { user, command } = tally.progress();
  return titleOfSession(user, channel.facts.peer.address, command);
}

const idleTitle = 'popper: inetd';
/** As often as a title changes at the most, in milliseconds. */
const titleEveryMs = 1000;

const silent = { ...loggerTo(() => {}), fatal: () => {} } satisfies DaemonLog;

/** By a front, and by a process that is the user. */
function byUsers(config: LoadedConfig, { client, log }: Surroundings): Service {
  const { settings, file, flags } = config;
  const { users, ...plan } = planOf({ ...settings, listen: [] });
  if (users === undefined) throw new TypeError("a plan for isolation: 'user' has users");
  const program = childProgram({ file, flags, client });
  const session = new OneSession({
    plan: { ...plan, users },
    snapshot: config.snapshot(),
    stateDir: settings.stateDir,
    program,
    client,
    log,
  });
  process.on('exit', () => session.kill());
  return {
    start: async () => {
      await session.start();
      return session;
    },
    over: () => session.wentWell(),
  };
}

/**
 * Others may be at work, so what dead ones have left half done is for whoever opens that maildrop; and advice is for who starts a
 * daemon, and not for each client.
 */
const quietly = { recovers: false, announces: false } as const;

async function serveOne(
  { start, over }: Service,
  { settings }: LoadedConfig,
  { client, log, stderr }: Surroundings,
): Promise<number> {
  const shutdown = new Shutdown({
    // Its beginning and its end are the session's.
    log: { ...log, info: (message, fields) => log.debug(message, fields) },
    patienceMs: patienceMsOf(settings),
    signals: ['SIGTERM', 'SIGINT', 'SIGHUP'],
  });
  try {
    if (client.beginsWithTls && settings.tls === undefined) throw new Error(noCertificate);
    await refuseFaulty(settings.stateDir);
    // Here, and not in the process that serves it, which need not be root.
    if (settings.socketDebug && client.kind === 'socket') (await SocketDebug.load(log)).turnOn(0);
    shutdown.started(await start());
  } catch (error) {
    shutdown.close();
    refuse(client);
    stderr.write(`popper: cannot start: ${messageOf(error)}\n`);
    return exitCode.problems;
  }
  shutdown.drain();
  const code = await shutdown.done;
  return (await over()) ? code : exitCode.problems;
}

const noCertificate = '--tls: there is no certificate to show: set tls: { certificate, key }';
