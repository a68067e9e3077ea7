// The program of processes that a master starts, by a command line that child-program.ts makes and reads.
import { readFileSync } from 'node:fs';
import { setTraceSigInt } from 'node:util';

import { messageOf } from '../config/error-facts.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { createLogger, type DaemonLog } from '../log/pino-log.ts';
import { PluginsAtWork } from '../plugin/plugins-at-work.ts';
import { Superior } from '../server/front/superior.ts';
import { goneOf } from '../server/ipc/gone.ts';
import { planOf } from '../server/ipc/plan.ts';
import { dropMarks } from '../server/master/orphans.ts';
import { tracesInterrupts } from '../server/master/start-process.ts';
import { showLeaving, showTitle, showWork } from '../server/process-title.ts';
import { runAuth } from '../server/user/auth.ts';
import { runLocker } from '../server/user/locker.ts';
import { lockersFolderOf } from '../server/user/own-folder.ts';
import { longestBeginningMs } from '../server/user/worker-messages.ts';
import { runWorker } from '../server/user/worker.ts';
import { limitYoungGeneration } from '../server/young-generation.ts';
import { readChildArguments } from './child-program.ts';
import { type Configured, configureLoaded } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { runFront } from './front.ts';
import { tellBlocks } from './tell-blocks.ts';
import { untilDone } from './until-done.ts';
import { endProcess, watchExitFromStart } from './watch-exit.ts';

const standardInput = 0;
const { role, file, flags, given, client } = readChildArguments(process.argv.slice(2));
// Those that are given streams by it talk to it in words of their own.
const master = role === 'plan' || role === 'front' ? new Superior(process) : undefined;

dropMarks();
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
    // Before plugins are applied, and import something: of the first configuration, too, it is taken then.
    const own = role === 'plan' ? config.snapshot() : '';
    // From here on, for a channel that is listened to keeps a process waiting for what never comes.
    void goneOf(process).then(showLeaving);
    limitYoungGeneration();
    const pluginsAtWork = new PluginsAtWork();
    showWork(title, pluginsAtWork);
    const configured = configureLoaded(
      ownConfig(config),
      createLogger({ ...config.log, stream: process.stderr }),
      pluginsAtWork,
    );
    if (master === undefined) return await serve(configured);
    if (role === 'front') return await runFront(configured, { master, client });
    const plan = planOf(config.settings, given);
    await master.tell({ kind: 'plan', plan, snapshot: own });
    return exitCode.done;
  } catch (error) {
    await tellFailure(messageOf(error));
    return exitCode.problems;
  }
}

/** What stands behind fronts, with `isolation: 'user'`. */
function serve(configured: Configured<DaemonLog>): Promise<number> {
  const { core, state, log, config } = configured;
  const { minUid, stateDir, authUser, workers, blockedTimeoutMs } = config.settings;
  const lateMs = workers.patienceMs + longestBeginningMs + blockedTimeoutMs;
  const beAuth = async (): Promise<void> => {
    // Only root can; for another account the master has.
    if (authUser === undefined) await state.prepare();
    // Where it is for one client, that would cost more than he does.
    if (client === undefined) tellBlocks(configured);
    await runAuth(process, { core, minUid });
  };
  const beLocker = (): Promise<void> => runLocker(process, { core });
  const beWorker = (): Promise<void> =>
    runWorker(process, { core, state, stateDir, minUid, lateMs, idleMs: workers.idleMs });
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
