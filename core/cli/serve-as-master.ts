import type { LoadedConfig } from '../config/load-config.ts';
import type { DaemonLog } from '../log/pino-log.ts';
import { ownVersion } from '../package-version.ts';
import type { GivenSocket } from '../server/activation/variables.ts';
import { planOf } from '../server/ipc/plan.ts';
import { MasterControl } from '../server/master/master-control.ts';
import { Master } from '../server/master/master.ts';
import { endOrphans } from '../server/master/orphans.ts';
import { canShareSockets } from '../server/master/sockets.ts';
import type { Settings } from '../settings.ts';
import { childProgram } from './child-program.ts';
import { serveUntilEnd, type Surroundings } from './serve-until-end.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

/** Whether this config is served by a master and its fronts, or by one process. */
export const hasMaster = ({ settings: { fronts, isolation } }: LoadedConfig): boolean =>
  isolation === 'user' || (fronts === 'auto' ? canShareSockets : fronts > 1);

/** How the process was started. */
export interface Started extends Pick<Surroundings, 'stderr' | 'manager'> {
  /** The sockets that it was started with. */
  readonly given: readonly GivenSocket[];
}

/** Serves as the master of its fronts, until a signal ends it. Gives the exit code. */
export async function serveAsMaster(
  config: LoadedConfig,
  log: DaemonLog,
  { given, stderr, manager }: Started,
): Promise<number> {
  const { settings, file } = config;
  const checked = { plan: planOf(settings, given), snapshot: config.snapshot() };
  const master = new Master({
    program: childProgram({ file, flags: config.flags, given }, settings.stateDir),
    log,
  });
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const shutdown = new Shutdown({ log, patienceMs: patienceMsOf(settings), signals });
  master.reloads = (outcome) => void manager.reloads(outcome);
  answerSignals(master);
  const start = async () => {
    if (!canShareSockets) throw new Error(needsNewNode(settings));
    await endOrphans(settings.stateDir, log);
    await master.start(checked);
    return {
      daemon: master,
      control: controlOf(master, shutdown, file),
      isServing: () => master.isServing,
    };
  };
  return serveUntilEnd(start, { settings, shutdown, manager, log, stderr });
}

const needsNewNode = ({ isolation }: Settings): string =>
  isolation === 'user'
    ? "isolation: 'user' needs Node 24.21: update it, or set isolation: 'none'"
    : 'fronts: more than 1 needs Node 24.21: update it, or set fronts: 1';

function answerSignals(master: Master): void {
  process.title = 'popper: master';
  // Its outcome is in the log.
  process.on('SIGHUP', () => void master.reload().catch(() => {}));
  process.on('exit', () => master.kill());
}

const controlOf = (master: Master, shutdown: Shutdown, configFile: string): MasterControl =>
  new MasterControl(master, {
    version: ownVersion,
    configFile,
    drain: () => shutdown.drain(),
  });
