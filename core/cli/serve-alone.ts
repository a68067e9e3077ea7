import { loadConfig } from '../config/load-config.ts';
import type { DaemonLog } from '../log/pino-log.ts';
import { ownVersion } from '../package-version.ts';
import { placed } from '../server/activation/sockets-for.ts';
import { DaemonControl } from '../server/control/daemon-control.ts';
import { alone, type Daemon, startDaemon } from '../server/daemon.ts';
import { endOrphans } from '../server/master/orphans.ts';
import type { ServiceManager } from '../server/notify/service-manager.ts';
import { ProcessTitle } from '../server/process-title.ts';
import { adviceOnCore, logAdvice, tellDebugging } from './advice.ts';
import { type Configured, configureLoaded } from './configure.ts';
import { count } from './explain.ts';
import { serveUntilEnd, type Started } from './serve-until-end.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

/** Serves clients in this process, until a signal ends it. Gives the exit code. */
export async function serveAlone({ checked, flags, given, log, ...around }: Started): Promise<number> {
  const { manager } = around;
  const config = await loadConfig({ snapshot: checked.snapshot, flags });
  const configured = configureLoaded(config, log);
  const { core, state } = configured;
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
  return serveUntilEnd(start, { ...around, settings, shutdown, log });
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
