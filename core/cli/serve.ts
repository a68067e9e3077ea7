import { locateConfig } from '../config/locate-config.ts';
import { createLogger } from '../log/pino-log.ts';
import { takeListenVariables } from '../server/activation/variables.ts';
import { LoadFault } from '../server/master/load-plan.ts';
import { ServiceManager } from '../server/notify/service-manager.ts';
import { takeNotifyVariables } from '../server/notify/variables.ts';
import { limitYoungGeneration } from '../server/young-generation.ts';
import { adviceOnUnused, logAdvice } from './advice.ts';
import type { CliIo } from './cli-io.ts';
import type { NamedConfig } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { explain } from './explain.ts';
import { loadFirst } from './load-first.ts';
import { serveAsMaster } from './serve-as-master.ts';

/**
 * `popper serve`: serves until a signal ends it. Gives the exit code: 0 after a stop that was asked for. The configuration is
 * looked at by another process; this one has it only where it serves alone.
 */
export async function serve({ file: name, flags }: NamedConfig, io: CliIo): Promise<number> {
  const { stderr, workingFolder, otherFolders } = io;
  // Before anybody else's code runs, for it may start processes.
  const variables = takeNotifyVariables(process.env);
  const given = takeListenVariables(process.env);
  try {
    const located = await locateConfig({ file: name, workingFolder, otherFolders });
    const told = { file: located.file, flags, given };
    const checked = await loadFirst(told, stderr);
    const { foreground } = checked;
    const log = createLogger({ ...foreground.log, stream: stderr });
    limitYoungGeneration();
    logAdvice([...adviceOnUnused(located, workingFolder), ...foreground.advice], log);
    const manager = await ServiceManager.open(variables, log);
    const started = { ...told, checked, log, stderr, manager };
    if (!foreground.servesAlone) return await serveAsMaster(started);
    // A master has no use for all that serves clients.
    const { serveAlone } = await import('./serve-alone.ts');
    return await serveAlone(started);
  } catch (error) {
    return error instanceof LoadFault ? giveUp(error, io) : explain(error, stderr, workingFolder);
  }
}

/** The child has said what is wrong, if it came to that. */
function giveUp({ isKnown, message, exitCode: code }: LoadFault, { stderr }: CliIo): number {
  if (!isKnown) stderr.write(`popper: cannot start: ${message}\n`);
  return code === undefined || code === exitCode.done ? exitCode.problems : code;
}
