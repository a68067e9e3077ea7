import { loadConfig } from '../config/load-config.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { ownVersion } from '../package-version.ts';
import { adviceOnSockets, placed } from '../server/activation/sockets-for.ts';
import { takeListenVariables } from '../server/activation/variables.ts';
import { DaemonControl } from '../server/control/daemon-control.ts';
import { alone, type Daemon, startDaemon } from '../server/daemon.ts';
import { endOrphans } from '../server/master/orphans.ts';
import { ServiceManager } from '../server/notify/service-manager.ts';
import { takeNotifyVariables } from '../server/notify/variables.ts';
import { ProcessTitle } from '../server/process-title.ts';
import { limitYoungGeneration } from '../server/young-generation.ts';
import { adviceOnConfig, adviceOnCore, logAdvice, tellDebugging } from './advice.ts';
import type { CliIo } from './cli-io.ts';
import { type Configured, configureLoaded, type NamedConfig } from './configure.ts';
import { count, explain } from './explain.ts';
import { hasMaster, serveAsMaster, type Started } from './serve-as-master.ts';
import { serveUntilEnd } from './serve-until-end.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

/** `popper serve`: serves until a signal ends it. Gives the exit code: 0 after a stop that was asked for. */
export async function serve(named: NamedConfig, io: CliIo): Promise<number> {
  const { stderr, workingFolder, otherFolders } = io;
  // Before anybody else's code runs, for it may start processes.
  const variables = takeNotifyVariables(process.env);
  const given = takeListenVariables(process.env);
  try {
    const config = await loadConfig({ ...named, workingFolder, otherFolders });
    const log = createLogger({ ...config.log, stream: stderr });
    limitYoungGeneration();
    logAdvice(adviceOnConfig(config, workingFolder), log);
    logAdvice(adviceOnSockets(config.settings.listen, given), log);
    const manager = await ServiceManager.open(variables, log);
    if (hasMaster(config)) return await serveAsMaster(config, log, { given, stderr, manager });
    return await run(configureLoaded(config, log), { given, stderr, manager });
  } catch (error) {
    return explain(error, stderr, workingFolder);
  }
}

async function run(configured: Configured<DaemonLog>, { given, stderr, manager }: Started): Promise<number> {
  const { core, state, log, config } = configured;
  const { settings } = config;
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  if (manager.isThere) process.on('SIGHUP', () => refuseReload(manager, log));
  else signals.push('SIGHUP');
  const shutdown = new Shutdown({ log, patienceMs: patienceMsOf(settings), signals });
  logAdvice(adviceOnCore(core), log);
  tellDebugging(config, core.log);
  const sockets = placed(settings.listen, given).map((where) =>
    'inherited' in where ? { descriptor: where.descriptor, address: where.inherited } : undefined,
  );
  const start = async () => {
    await endOrphans(settings.stateDir, log);
    const daemon = await startDaemon(core, state, { ...alone, sockets });
    showSessions(daemon);
    // A loop that does not turn tells nobody anything, which is enough.
    return { daemon, control: controlOf(daemon, shutdown, configured), isServing: () => true };
  };
  return serveUntilEnd(start, { settings, shutdown, manager, log, stderr });
}

/** A terminal that closes ends it; a service manager that asks for a reload does not want that. */
function refuseReload(manager: ServiceManager, log: DaemonLog): void {
  const error = new Error('one process that serves alone (fronts: 1) cannot reload');
  log.error('the reload failed, and all stays as it was', { error, fix: 'restart it, or set fronts' });
  void manager.reloads(Promise.reject(error));
}

function showSessions({ sessions }: Daemon): void {
  const title = new ProcessTitle(() => `popper: ${count(sessions.count, 'session')}`);
  sessions.changed = () => title.changed();
}

const controlOf = (daemon: Daemon, shutdown: Shutdown, { state, config }: Configured): DaemonControl =>
  new DaemonControl(daemon, {
    version: ownVersion,
    configFile: config.file,
    state,
    drain: () => shutdown.drain(),
  });
