import { loadConfig } from '../config/load-config.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { DaemonControl } from '../server/control/daemon-control.ts';
import { type Daemon, startDaemon } from '../server/daemon.ts';
import { ProcessTitle } from '../server/process-title.ts';
import { adviceOnConfig, adviceOnCore, logAdvice } from './advice.ts';
import type { CliIo } from './cli-io.ts';
import { type Configured, configureLoaded } from './configure.ts';
import { count, explain } from './explain.ts';
import { packageVersion } from './package-version.ts';
import { hasMaster, serveAsMaster } from './serve-as-master.ts';
import { serveUntilEnd } from './serve-until-end.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

/** `popper serve`: serves until a signal ends it. Gives the exit code: 0 after a stop that was asked for. */
export async function serve(file: string | undefined, io: CliIo): Promise<number> {
  const { stderr, workingFolder } = io;
  try {
    const config = await loadConfig({ file, workingFolder });
    const log = createLogger({ ...config.log, stream: stderr });
    logAdvice(adviceOnConfig(config, workingFolder), log);
    if (hasMaster(config)) return await serveAsMaster(config, log, io);
    return await run(configureLoaded(config, log), io);
  } catch (error) {
    return explain(error, stderr, workingFolder);
  }
}

async function run(configured: Configured<DaemonLog>, { stderr }: CliIo): Promise<number> {
  const { core, state, log, config } = configured;
  const { settings } = config;
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  const shutdown = new Shutdown({ log, patienceMs: patienceMsOf(settings), signals });
  logAdvice(adviceOnCore(core), log);
  const start = async () => {
    const daemon = await startDaemon(core, state);
    showSessions(daemon);
    return { daemon, control: controlOf(daemon, shutdown, configured) };
  };
  return serveUntilEnd(start, { settings, shutdown, log, stderr });
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
