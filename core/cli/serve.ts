import { messageOf } from '../config/error-facts.ts';
import { loadConfig } from '../config/load-config.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { ControlSocket } from '../server/control/control-socket.ts';
import { DaemonControl } from '../server/control/daemon-control.ts';
import { type Daemon, startDaemon } from '../server/daemon.ts';
import { ProcessTitle } from '../server/process-title.ts';
import { refuseFaulty } from '../server/state-folder.ts';
import { adviceOnConfig, adviceOnCore, logAdvice } from './advice.ts';
import type { CliIo } from './cli-io.ts';
import { type Configured, configureLoaded } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { count, explain } from './explain.ts';
import { packageVersion } from './package-version.ts';
import { hasMaster, serveAsMaster } from './serve-as-master.ts';
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
  const { control } = config.settings;
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  const shutdown = new Shutdown({ log, patienceMs: patienceMsOf(config.settings), signals });
  let socket: ControlSocket | undefined;
  logAdvice(adviceOnCore(core), log);
  try {
    await refuseFaulty(config.settings.stateDir);
    socket = control && (await ControlSocket.open(control, log));
    const daemon = await startDaemon(core, state);
    showSessions(daemon);
    socket?.serve(controlOf(daemon, shutdown, configured));
    shutdown.started(daemon);
  } catch (error) {
    await socket?.close();
    shutdown.close();
    log.debug('cannot start', { error });
    stderr.write(`popper: cannot start: ${messageOf(error)}\n`);
    return exitCode.problems;
  }
  const code = await shutdown.done;
  await socket?.close();
  return code;
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
