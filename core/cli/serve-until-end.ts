import { messageOf } from '../config/error-facts.ts';
import type { DaemonLog } from '../log/pino-log.ts';
import type { GivenSocket } from '../server/activation/variables.ts';
import type { Control } from '../server/control/commands.ts';
import { ControlSocket } from '../server/control/control-socket.ts';
import type { Foreground } from '../server/ipc/foreground.ts';
import type { Checked } from '../server/ipc/plan.ts';
import type { ServiceManager } from '../server/notify/service-manager.ts';
import { refuseFaulty } from '../server/state-folder.ts';
import type { ControlAddress } from '../settings.ts';
import type { ChildArguments } from './child-program.ts';
import { exitCode } from './exit-code.ts';
import { patienceMsOf, type Shutdown } from './shutdown.ts';

/** What serves, and what answers for it on the control socket. */
interface Serving {
  readonly daemon: Parameters<Shutdown['started']>[0];
  readonly control: Control;
  /** Whether clients are served, as far as a process that runs can tell. */
  readonly isServing: () => boolean;
}

interface Around {
  /** Hears of start and end. */
  readonly manager: ServiceManager;
  readonly log: DaemonLog;
  readonly stderr: { write(text: string): unknown };
}

/** A process that is to serve. */
export interface Started extends Around, Pick<ChildArguments, 'flags'> {
  readonly checked: Checked;
  /** Absolute. */
  readonly file: string;
  /** The sockets that it was started with. */
  readonly given: readonly GivenSocket[];
}

interface Surroundings extends Around {
  readonly settings: Pick<Foreground, 'stateDir' | 'stopTimeoutMs' | 'hookDeadlineMs'> & {
    readonly control?: ControlAddress | undefined;
  };
  readonly shutdown: Shutdown;
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
