// The program of processes that a master starts: node child.ts ROLE CONFIG-FILE.
import { messageOf } from '../config/error-facts.ts';
import { loadConfig } from '../config/load-config.ts';
import { createLogger } from '../log/pino-log.ts';
import { Superior } from '../server/front/superior.ts';
import { planOf } from '../server/ipc/plan.ts';
import { configureLoaded } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { runFront } from './front.ts';

const [role, file] = process.argv.slice(2);
const master = new Superior(process);

// A plugin may have left a timer or a connection, which would keep a finished process here.
process.exit(await run());

async function run(): Promise<number> {
  try {
    // A terminal gives these to all of its processes; here it is the master who decides.
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
    const config = await loadConfig({ file });
    const configured = configureLoaded(config, createLogger({ ...config.log, stream: process.stderr }));
    if (role === 'front') return await runFront(configured, master);
    await master.tell({ kind: 'plan', plan: planOf(configured.config.settings) });
    return exitCode.done;
  } catch (error) {
    await master.tell({ kind: 'failed', reason: messageOf(error) });
    return exitCode.problems;
  }
}
