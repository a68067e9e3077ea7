// The program of processes that a master starts, by a command line that child-program.ts makes and reads. Each imports what its role
// needs and no more, for a process of each user has it in memory.
import { readFileSync } from 'node:fs';
import { setTraceSigInt } from 'node:util';

import { messageOf } from '../config/error-facts.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { PluginsAtWork } from '../plugin/plugins-at-work.ts';
import { adviceOnSockets } from '../server/activation/sockets-for.ts';
import { compiledAtOnce } from '../server/compiled-at-once.ts';
import { Superior } from '../server/front/superior.ts';
import { foregroundOf } from '../server/ipc/foreground.ts';
import { goneOf } from '../server/ipc/gone.ts';
import { longestStartMs } from '../server/ipc/longest-start.ts';
import { planOf } from '../server/ipc/plan.ts';
import { dropMarks } from '../server/master/orphans.ts';
import { type ChildRole, tracesInterrupts } from '../server/master/start-process.ts';
import { showLeaving, showTitle, showWork } from '../server/process-title.ts';
import { lockersFolderOf } from '../server/user/own-folder.ts';
import { limitYoungGeneration } from '../server/young-generation.ts';
import { adviceOnConfig } from './advice.ts';
import { readChildArguments } from './child-program.ts';
import { type Configured, configureLoaded } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { explain } from './explain.ts';
import { untilDone } from './until-done.ts';
import { endProcess, watchExitFromStart } from './watch-exit.ts';

type Work = (configured: Configured<DaemonLog>) => Promise<number>;

const standardInput = 0;
const workingFolder = process.cwd();
const { role, file, flags, explains, given, client } = readChildArguments(process.argv.slice(2));
const looksOnly = role === 'plan' || role === 'trial';
// Those that are given streams by it talk to it in words of their own.
const master = looksOnly || role === 'front' ? new Superior(process) : undefined;

dropMarks();
if (looksOnly) {
  // Whatever it is at, nobody waits for it any more.
  void master?.gone.then(() => endProcess(exitCode.problems));
  // What never finishes loading is told by nothing being left to wait for.
  process.channel?.unref();
}
watchExitFromStart(createLogger({ level: 'error', format: 'auto', stream: process.stderr }));
// A plugin may have left a timer or a connection, which would keep a finished process here.
endProcess(await run());

async function run(): Promise<number> {
  try {
    // A terminal gives these to all of its processes; here it is the master who decides.
    process.on('SIGHUP', () => {});
    if (tracesInterrupts(role)) setTraceSigInt(true);
    else process.on('SIGINT', () => {});
    const title = `popper: ${role}, loading ${file}`;
    showTitle(title);
    // Of whoever becomes a user it is the plugins' code that he waits for.
    const config = await (role === 'worker' ? compiledAtOnce(load) : load());
    // From here on, for a channel that is listened to keeps a process waiting for what never comes.
    void goneOf(process).then(showLeaving);
    limitYoungGeneration();
    const pluginsAtWork = new PluginsAtWork();
    showWork(title, pluginsAtWork);
    const configured = configureLoaded(ownConfig(config), logOf(config), pluginsAtWork);
    return await workOf(role)(configured);
  } catch (error) {
    const code = explains ? explain(error, process.stderr, workingFolder) : exitCode.problems;
    await tellFailure(messageOf(error));
    return code;
  }
}

/** Whoever looks at the files does it for all of the others. */
function load(): Promise<LoadedConfig> {
  return loadConfig({
    file,
    flags,
    snapshot: role === 'plan' ? undefined : readFileSync(standardInput, 'utf8'),
  });
}

/** What plugins have to say as they are applied is said by those who serve, and by whoever checks. */
function logOf({ log }: LoadedConfig): DaemonLog {
  return createLogger({ ...log, ...(looksOnly && { level: 'error' }), stream: process.stderr });
}

function workOf(what: ChildRole): Work {
  const works: Readonly<Record<ChildRole, Work>> = {
    plan,
    trial: async () => exitCode.done,
    front,
    auth: (configured) => untilDone(configured.log, () => auth(configured)),
    locker: (configured) => untilDone(configured.log, () => locker(configured)),
    worker: (configured) => untilDone(configured.log, () => worker(configured)),
  };
  return works[what];
}

/** Tells what others have to know of the config, who do not load it, and what its processes are to have. */
async function plan({ config }: Configured<DaemonLog>): Promise<number> {
  const { settings, log } = config;
  const advice = [...adviceOnConfig(config, workingFolder), ...adviceOnSockets(settings.listen, given ?? [])];
  await master?.tell({
    kind: 'plan',
    plan: planOf(settings, given),
    foreground: foregroundOf({ settings, log, advice }),
    snapshot: config.snapshot(),
  });
  return exitCode.done;
}

async function front(configured: Configured<DaemonLog>): Promise<number> {
  if (master === undefined) throw new TypeError('a front has a master');
  const { runFront } = await import('./front.ts');
  return runFront(configured, { master, client });
}

async function auth(configured: Configured<DaemonLog>): Promise<void> {
  const { core, state, config } = configured;
  const { minUid, authUser } = config.settings;
  // Only root can; for another account the master has.
  if (authUser === undefined) await state.prepare();
  // Where it is for one client, that would cost more than he does.
  if (client === undefined) {
    const { tellBlocks } = await import('./tell-blocks.ts');
    tellBlocks(configured);
  }
  const { runAuth } = await import('../server/user/auth.ts');
  await runAuth(process, { core, minUid });
}

async function locker({ core }: Configured<DaemonLog>): Promise<void> {
  const { runLocker } = await import('../server/user/locker.ts');
  await runLocker(process, { core });
}

async function worker({ core, state, config }: Configured<DaemonLog>): Promise<void> {
  const { minUid, stateDir, workers, blockedTimeoutMs } = config.settings;
  const lateMs = workers.patienceMs + longestStartMs + blockedTimeoutMs;
  const { runWorker } = await compiledAtOnce(() => import('../server/user/worker.ts'));
  await runWorker(process, { core, state, stateDir, minUid, lateMs, idleMs: workers.idleMs });
}

/** What the locker must remember lies where nobody else reaches, though he be the same user. */
function ownConfig(config: LoadedConfig): LoadedConfig {
  if (role !== 'locker') return config;
  const { settings } = config;
  return { ...config, settings: { ...settings, stateDir: lockersFolderOf(settings.stateDir) } };
}

/** The last word, which is waited for. */
function tellFailure(reason: string): Promise<void> {
  if (master !== undefined) return master.tell({ kind: 'failed', reason });
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send({ kind: 'failed', reason }, undefined, undefined, () => resolve());
  });
}
