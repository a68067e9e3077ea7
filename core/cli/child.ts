// The program of processes that a master starts, by a command line that child-program.ts makes and reads. Each imports what its role
// needs and no more, for a process of each user has it in memory.
import { readFileSync } from 'node:fs';
import { setTraceSigInt } from 'node:util';

import { messageOf } from '../config/error-facts.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { PluginsAtWork } from '../plugin/plugins-at-work.ts';
import { adviceOnSockets } from '../server/activation/sockets-for.ts';
import { Superior } from '../server/front/superior.ts';
import { foregroundOf } from '../server/ipc/foreground.ts';
import { goneOf } from '../server/ipc/gone.ts';
import { longestStartMs } from '../server/ipc/longest-start.ts';
import { type Checked, planOf } from '../server/ipc/plan.ts';
import { dropMarks } from '../server/master/orphans.ts';
import { tracesInterrupts } from '../server/master/start-process.ts';
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

const standardInput = 0;
const workingFolder = process.cwd();
const { role, file, flags, explains, given, client } = readChildArguments(process.argv.slice(2));
// Those that are given streams by it talk to it in words of their own.
const master = role === 'plan' || role === 'trial' || role === 'front' ? new Superior(process) : undefined;

dropMarks();
// Whatever it is at, nobody waits for it any more.
if (role === 'plan' || role === 'trial') void master?.gone.then(() => endProcess(exitCode.problems));
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
    // Whoever looks at the files does it for all of the others.
    const snapshot = role === 'plan' ? undefined : readFileSync(standardInput, 'utf8');
    const config = await loadConfig({ file, flags, snapshot });
    // Before plugins are applied, and import something.
    const own = role === 'plan' ? config.snapshot() : '';
    // From here on, for a channel that is listened to keeps a process waiting for what never comes.
    void goneOf(process).then(showLeaving);
    limitYoungGeneration();
    const pluginsAtWork = new PluginsAtWork();
    showWork(title, pluginsAtWork);
    const configured = configureLoaded(
      ownConfig(config),
      createLogger({ ...config.log, ...(role === 'trial' && { level: 'error' }), stream: process.stderr }),
      pluginsAtWork,
    );
    if (role === 'trial') return exitCode.done;
    if (master === undefined) return await serve(configured);
    if (role === 'front') {
      const { runFront } = await import('./front.ts');
      return await runFront(configured, { master, client });
    }
    await master.tell({ kind: 'plan', ...planned(config), snapshot: own });
    return exitCode.done;
  } catch (error) {
    const code = explains ? explain(error, process.stderr, workingFolder) : exitCode.problems;
    await tellFailure(messageOf(error));
    return code;
  }
}

/** What others have to know of the config, who do not load it. */
function planned(config: LoadedConfig): Pick<Checked, 'plan' | 'foreground'> {
  const { settings, log } = config;
  const plan = planOf(settings, given);
  const advice = [...adviceOnConfig(config, workingFolder), ...adviceOnSockets(settings.listen, given ?? [])];
  return { plan, foreground: foregroundOf({ settings, log, advice }) };
}

/** What stands behind fronts, with `isolation: 'user'`. */
function serve(configured: Configured<DaemonLog>): Promise<number> {
  const { core, state, log, config } = configured;
  const { minUid, stateDir, authUser, workers, blockedTimeoutMs } = config.settings;
  const lateMs = workers.patienceMs + longestStartMs + blockedTimeoutMs;
  const beAuth = async (): Promise<void> => {
    // Only root can; for another account the master has.
    if (authUser === undefined) await state.prepare();
    // Where it is for one client, that would cost more than he does.
    if (client === undefined) {
      const { tellBlocks } = await import('./tell-blocks.ts');
      tellBlocks(configured);
    }
    const { runAuth } = await import('../server/user/auth.ts');
    await runAuth(process, { core, minUid });
  };
  const beLocker = async (): Promise<void> => {
    const { runLocker } = await import('../server/user/locker.ts');
    await runLocker(process, { core });
  };
  const beWorker = async (): Promise<void> => {
    const { runWorker } = await import('../server/user/worker.ts');
    await runWorker(process, { core, state, stateDir, minUid, lateMs, idleMs: workers.idleMs });
  };
  if (role === 'locker') return untilDone(log, beLocker);
  return untilDone(log, role === 'auth' ? beAuth : beWorker);
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
