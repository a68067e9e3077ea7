import { loadConfig } from '../config/load-config.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { DaemonControl } from '../server/control/daemon-control.ts';
import { type Daemon, startDaemon } from '../server/daemon.ts';
import { ServiceManager } from '../server/notify/service-manager.ts';
import { takeNotifyVariables } from '../server/notify/variables.ts';
import { ProcessTitle } from '../server/process-title.ts';
import { limitYoungGeneration } from '../server/young-generation.ts';
import { adviceOnConfig, adviceOnCore, logAdvice } from './advice.ts';
import type { CliIo } from './cli-io.ts';
import { type Configured, configureLoaded } from './configure.ts';
import { count, explain } from './explain.ts';
import { packageVersion } from './package-version.ts';
import { hasMaster, serveAsMaster } from './serve-as-master.ts';
import { serveUntilEnd, type Surroundings } from './serve-until-end.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

/** `popper serve`: serves until a signal ends it. Gives the exit code: 0 after a stop that was asked for. */
export async function serve(file: string | undefined, io: CliIo): Promise<number> {
  const { stderr, workingFolder } = io;
  // Before anybody else's code runs, for it may start processes.
  const variables = takeNotifyVariables(process.env);
  try {
    const config = await loadConfig({ file, workingFolder });
    const log = createLogger({ ...config.log, stream: stderr });
    limitYoungGeneration();
    logAdvice(adviceOnConfig(config, workingFolder), log);
    const manager = await ServiceManager.open(variables, log);
    if (hasMaster(config)) return await serveAsMaster(config, log, { stderr, manager });
    return await run(configureLoaded(config, log), { stderr, manager });
  } catch (error) {
    return explain(error, stderr, workingFolder);
  }
}

async function run(
  configured: Configured<DaemonLog>,
  { stderr, manager }: Pick<Surroundings, 'stderr' | 'manager'>,
): Promise<number> {
  const { core, state, log, config } = configured;
  const { settings } = config;
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  if (manager.isThere) process.on('SIGHUP', () => refuseReload(manager, log));
  else signals.push('SIGHUP');
  const shutdown = new Shutdown({ log, patienceMs: patienceMsOf(settings), signals });
  logAdvice(adviceOnCore(core), log);
  const start = async () => {
    const daemon = await startDaemon(core, state);
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
    version: packageVersion('.', import.meta.url) ?? 'unknown',
    configFile: config.file,
    state,
    drain: () => shutdown.drain(),
  });
