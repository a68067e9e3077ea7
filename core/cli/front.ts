import type { DaemonLog } from '../log/pino-log.ts';
import type { Control } from '../server/control/commands.ts';
import { DaemonControl } from '../server/control/daemon-control.ts';
import { type Daemon, startDaemon } from '../server/daemon.ts';
import { answerMaster } from '../server/front/answer-master.ts';
import { startHeartbeat } from '../server/front/heartbeat.ts';
import type { Superior } from '../server/front/superior.ts';
import { firstSocketDescriptor, type Order } from '../server/ipc/messages.ts';
import { ProcessTitle } from '../server/process-title.ts';
import { logAdvice, adviceOnCore } from './advice.ts';
import type { Configured } from './configure.ts';
import { count } from './explain.ts';
import { packageVersion } from './package-version.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';

/** Serves clients as a front, until the master or an error ends it. Gives the exit code; throws where it cannot start. */
export async function runFront(configured: Configured<DaemonLog>, master: Superior): Promise<number> {
  const exitIsExpected = watchExit(configured.log);
  try {
    const front = new Front(configured, master);
    return await front.run();
  } finally {
    exitIsExpected();
  }
}

class Front {
  readonly #configured: Configured<DaemonLog>;
  readonly #master: Superior;
  /** The master tells of what happens to all of them; a front's part of it is for who looks closely. */
  readonly #quiet: DaemonLog;
  readonly #shutdown: Shutdown;
  #daemon: Daemon | undefined;
  #control: Control | undefined;
  #stops = 0;

  constructor(configured: Configured<DaemonLog>, master: Superior) {
    const { log, config } = configured;
    this.#configured = configured;
    this.#master = master;
    this.#quiet = { ...log, info: (message, fields) => log.debug(message, fields) };
    this.#shutdown = new Shutdown({
      log: this.#quiet,
      patienceMs: patienceMsOf(config.settings),
      signals: [],
    });
    master.ordered = (order) => this.#obey(order);
    // A service manager may signal all of a daemon's processes while the master gives its order: that is one stop.
    process.on('SIGTERM', () => this.#shutdown.askOnce());
    void master.gone.then(() => this.#shutdown.askOnce());
    void this.#shutdown.asked.then(() => master.tell({ kind: 'leaving' }));
  }

  async run(): Promise<number> {
    const beat = async (): Promise<void> => {
      const status = await this.#control?.status();
      await this.#master.tell({ kind: 'alive', ...(status && { status }) });
    };
    const { log, config } = this.#configured;
    startHeartbeat({ everyMs: Math.min(1000, config.settings.blockedTimeoutMs / 4), beat, log });
    this.#shutdown.started(await this.#start());
    await this.#master.tell({ kind: 'listening' });
    const code = await this.#shutdown.done;
    // What its last sessions came to.
    await beat();
    return code;
  }

  async #start(): Promise<Daemon> {
    const { core, state, config } = this.#configured;
    const { number, addresses, recovers, announces } = await this.#master.start;
    // What is true of all fronts is told by one.
    if (announces) logAdvice(adviceOnCore(core), core.log);
    const sockets = addresses.map((address, index) => ({
      address,
      descriptor: firstSocketDescriptor + index,
    }));
    const daemon = await startDaemon(core, state, { role: 'front', recovers, announces, sockets });
    this.#daemon = daemon;
    const title = new ProcessTitle(
      () => `popper: front ${number} (${count(daemon.sessions.count, 'session')})`,
    );
    daemon.sessions.changed = () => title.changed();
    this.#control = new DaemonControl(daemon, {
      version: packageVersion('.', import.meta.url) ?? 'unknown',
      configFile: config.file,
      state,
      drain: () => this.#shutdown.drain(),
    });
    return daemon;
  }

  #obey(order: Order): void {
    if (order.kind === 'retire') this.#shutdown.drain();
    if (order.kind === 'stop') this.#stop();
    if (order.kind === 'elsewhere') this.#daemon?.countElsewhere(order.sessions);
    if (order.kind === 'ask') {
      void answerMaster(order, { master: this.#master, control: this.#control, log: this.#quiet });
    }
  }

  #stop(): void {
    this.#stops += 1;
    if (this.#stops === 1) this.#shutdown.askOnce();
    else this.#shutdown.ask();
  }
}

/** A plugin may end the process; then its stack is the only trace of whose doing it was. */
function watchExit(log: DaemonLog): () => void {
  const onExit = (exitCode: number): void => {
    log.fatal('something ended the process', { exitCode, error: new Error('process.exit was called') });
  };
  process.on('exit', onExit);
  return () => process.off('exit', onExit);
}
