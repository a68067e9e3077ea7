import type { Socket } from 'node:net';

import type { DaemonLog } from '../log/pino-log.ts';
import { ownVersion } from '../package-version.ts';
import type { Control } from '../server/control/commands.ts';
import { DaemonControl } from '../server/control/daemon-control.ts';
import { type Daemon, startDaemon } from '../server/daemon.ts';
import { answerMaster } from '../server/front/answer-master.ts';
import { Behind } from '../server/front/behind.ts';
import { CrowdTeller } from '../server/front/crowd-teller.ts';
import { startHeartbeat } from '../server/front/heartbeat.ts';
import type { Superior } from '../server/front/superior.ts';
import { openClient, type OpenClient } from '../server/inetd/open-client.ts';
import type { SoleClient } from '../server/inetd/sole-client.ts';
import { type CarriedPem, firstSocketDescriptor, type Order } from '../server/ipc/messages.ts';
import { type Limits, limitsOfFronts } from '../server/limits.ts';
import { ProcessTitle } from '../server/process-title.ts';
import { noneTaken } from '../server/taken.ts';
import type { Account } from '../server/user/account.ts';
import { complaintAboutRights } from '../server/user/rights.ts';
import { adviceOnCore, logAdvice, tellDebugging } from './advice.ts';
import type { Configured } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { count } from './explain.ts';
import { patienceMsOf, Shutdown } from './shutdown.ts';
import { tellBlocks } from './tell-blocks.ts';
import { endProcess } from './watch-exit.ts';

interface FrontOptions {
  readonly master: Superior;
  /** In the place of ports; undefined for all who come. */
  readonly client: SoleClient | undefined;
}

/** Serves clients as a front, until the master or an error ends it. Gives the exit code; throws where it cannot start. */
export async function runFront(configured: Configured<DaemonLog>, options: FrontOptions): Promise<number> {
  const front = new Front(configured, options);
  try {
    return await front.run();
  } finally {
    front.close();
  }
}

class Front {
  readonly #configured: Configured<DaemonLog>;
  readonly #master: Superior;
  readonly #client: SoleClient | undefined;
  /** The master tells of what happens to all of them; a front's part of it is for who looks closely. */
  readonly #quiet: DaemonLog;
  readonly #shutdown: Shutdown;
  readonly #behind: Behind;
  #daemon: Daemon | undefined;
  #elsewhere = noneTaken;
  /** Those of all fronts. */
  readonly #limits: Limits;
  readonly #crowds: CrowdTeller;
  #control: Control | undefined;
  /** What a client has still to be given of its session is on its way until then. */
  #passedOn: Promise<void> = Promise.resolve();
  #stops = 0;

  constructor(configured: Configured<DaemonLog>, { master, client }: FrontOptions) {
    const { log, config } = configured;
    this.#configured = configured;
    this.#master = master;
    this.#client = client;
    this.#quiet = { ...log, info: (message, fields) => log.debug(message, fields) };
    this.#shutdown = new Shutdown({
      log: this.#quiet,
      patienceMs: patienceMsOf(config.settings),
      signals: [],
    });
    this.#behind = new Behind(master);
    this.#limits = limitsOfFronts(config.settings);
    this.#crowds = new CrowdTeller(this.#limits, master);
    master.obey((order, stream) => this.#obey(order, stream));
    // A service manager may signal all of a daemon's processes while the master gives its order: that is one stop.
    process.on('SIGTERM', () => this.#shutdown.askOnce());
    // One that serves nobody yet has nothing to end, and nobody else would end it.
    void master.gone.then(() => (this.#daemon ? this.#shutdown.askOnce() : endProcess(exitCode.problems)));
    void this.#shutdown.asked.then(() => master.tell({ kind: 'leaving' }));
  }

  async run(): Promise<number> {
    const beat = async (): Promise<void> => {
      const status = await this.#control?.status();
      const taken = this.#daemon?.taken;
      await this.#master.tell({
        kind: 'alive',
        ...(status && { status }),
        ...(taken && { taken }),
      });
      this.#crowds.beat();
    };
    const { log, config } = this.#configured;
    startHeartbeat({ everyMs: Math.min(1000, config.settings.blockedTimeoutMs / 4), beat, log });
    this.#shutdown.started(await this.#start());
    await this.#master.tell({ kind: 'listening' });
    // That costs more than one session does.
    if (this.#client === undefined) tellBlocks(this.#configured);
    const code = await this.#shutdown.done;
    await this.#passedOn;
    // What its last sessions came to.
    await beat();
    return code;
  }

  /** It has ended, or could not begin. */
  close(): void {
    this.#shutdown.close();
  }

  async #start(): Promise<Daemon> {
    const { core, state, config } = this.#configured;
    const { number, addresses, recovers, as, pem, ...duties } = await this.#master.start;
    if (as) await this.#beginAs(as, pem);
    // What is true of all fronts is told by one, and not to each client's own.
    const announces = duties.announces && this.#client === undefined;
    if (announces) {
      logAdvice(adviceOnCore(core), core.log);
      tellDebugging(config, core.log);
    }
    const sockets = addresses.map((address, index) => ({
      address,
      descriptor: firstSocketDescriptor + index,
    }));
    const clients = this.#client && (await this.#open(this.#client));
    const daemon = await startDaemon(core, state, {
      hasMaster: true,
      limits: this.#limits,
      makeRoomElsewhere: () => void this.#master.tell({ kind: 'makeRoom' }),
      ...(as && { privileged: this.#behind }),
      recovers,
      announces,
      sockets,
      ...(clients && { clients }),
    });
    this.#daemon = daemon;
    daemon.countElsewhere(this.#elsewhere);
    // What blocks it from here on is told by who watches it from within.
    core.pluginsAtWork.shownBy(undefined);
    const title = new ProcessTitle(
      () => `popper: front ${number} (${count(daemon.sessions.count, 'session')})`,
    );
    daemon.sessions.changed = () => title.changed();
    this.#control = new DaemonControl(daemon, {
      version: ownVersion,
      configFile: config.file,
      state,
      drain: () => this.#shutdown.drain(),
    });
    return daemon;
  }

  async #open(client: SoleClient): Promise<OpenClient['clients']> {
    const { clients, passedOn } = await openClient(client, firstSocketDescriptor, process.stdout);
    this.#passedOn = passedOn;
    return clients;
  }

  /** A front of `isolation: 'user'`: who it is to be it must be already, for it would not get there by itself. */
  async #beginAs(as: Account, pem: CarriedPem | undefined): Promise<void> {
    const complaint = complaintAboutRights({ ...as, groups: [] });
    if (complaint !== undefined) throw new Error(`a front has other rights than it is to have: ${complaint}`);
    this.#behind.learn(pem);
    await this.#behind.introduced();
  }

  #obey(order: Order, stream: Socket | undefined): void {
    this.#behind.obey(order, stream);
    if (order.kind === 'retire') this.#shutdown.drain();
    if (order.kind === 'stop') this.#stop();
    if (order.kind === 'elsewhere') this.#hearOfOthers(order);
    if (order.kind === 'giveWay') this.#daemon?.giveWay(order.to);
    if (order.kind === 'tell') this.#crowds.answer();
    if (order.kind === 'ask') {
      void answerMaster(order, { master: this.#master, control: this.#control, log: this.#quiet });
    }
  }

  #hearOfOthers(order: Extract<Order, { kind: 'elsewhere' }>): void {
    this.#limits.hear(order.crowds);
    this.#elsewhere = order.taken;
    this.#daemon?.countElsewhere(this.#elsewhere);
    if (order.look !== undefined) this.#crowds.heard(order.look);
  }

  #stop(): void {
    this.#stops += 1;
    if (this.#stops === 1) this.#shutdown.askOnce();
    else this.#shutdown.ask();
  }
}
