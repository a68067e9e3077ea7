import { ownVersion } from '../package-version.ts';
import type { UsersPlan } from '../server/ipc/plan.ts';
import { MasterControl } from '../server/master/master-control.ts';
import { Master } from '../server/master/master.ts';
import { endOrphans } from '../server/master/orphans.ts';
import { canShareSockets } from '../server/master/sockets.ts';
import { childProgram } from './child-program.ts';
import { serveUntilEnd, type Started } from './serve-until-end.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

/** Serves as the master of its fronts, until a signal ends it. Gives the exit code. */
export async function serveAsMaster({ checked, log, ...started }: Started): Promise<number> {
  const { file, flags, given, manager, stderr } = started;
  const { plan, foreground } = checked;
  const master = new Master({ program: childProgram({ file, flags, given }), log });
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const shutdown = new Shutdown({ log, patienceMs: patienceMsOf(foreground), signals });
  master.reloads = (outcome) => void manager.reloads(outcome);
  answerSignals(master);
  const start = async () => {
    if (!canShareSockets) throw new Error(needsNewNode(plan.users));
    await endOrphans(foreground.stateDir, log);
    await master.start(checked);
    return {
      daemon: master,
      control: controlOf(master, shutdown, file),
      isServing: () => master.isServing,
    };
  };
  return serveUntilEnd(start, { settings: foreground, shutdown, manager, log, stderr });
}

const needsNewNode = (users: UsersPlan | undefined): string =>
  users === undefined
    ? 'fronts: more than 1 needs Node 24.21: update it, or set fronts: 1'
    : "isolation: 'user' needs Node 24.21: update it, or set isolation: 'none'";

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
