import { messageOf } from '../config/error-facts.ts';
import type { DaemonLog } from '../log/pino-log.ts';
import type { Control } from '../server/control/commands.ts';
import { ControlSocket } from '../server/control/control-socket.ts';
import type { ServiceManager } from '../server/notify/service-manager.ts';
import { refuseFaulty } from '../server/state-folder.ts';
import type { Settings } from '../settings.ts';
import { exitCode } from './exit-code.ts';
import { patienceMsOf, type Shutdown } from './shutdown.ts';

/** What serves, and what answers for it on the control socket. */
interface Serving {
  readonly daemon: Parameters<Shutdown['started']>[0];
  readonly control: Control;
  /** Whether clients are served, as far as a process that runs can tell. */
  readonly isServing: () => boolean;
}

export interface Surroundings {
  readonly settings: Settings;
  readonly shutdown: Shutdown;
  /** Hears of start and end. */
  readonly manager: ServiceManager;
  readonly log: DaemonLog;
  readonly stderr: { write(text: string): unknown };
}

/** Starts it and serves until the shutdown is over, with the control socket open. Gives the exit code. */
export async function serveUntilEnd(
  start: () => Promise<Serving>,
  { settings, shutdown, manager, log, stderr }: Surroundings,
): Promise<number> {
  let socket: ControlSocket | undefined;
  void shutdown.asked.then(() => manager.stopping(patienceMsOf(settings)));
  try {
    await refuseFaulty(settings.stateDir);
    socket = settings.control && (await ControlSocket.open(settings.control, log));
    const { daemon, control, isServing } = await start();
    socket?.serve(control);
    shutdown.started(daemon);
    manager.started({ status: () => control.status(), isServing });
  } catch (error) {
    await socket?.close();
    shutdown.close();
    log.debug('cannot start', { error });
    manager.failed(messageOf(error));
    stderr.write(`popper: cannot start: ${messageOf(error)}\n`);
    return exitCode.problems;
  }
  const code = await shutdown.done;
  await socket?.close();
  manager.close();
  return code;
}
