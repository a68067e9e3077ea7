import type { Writable } from 'node:stream';

import { createLogger } from '../log/pino-log.ts';
import type { Checked } from '../server/ipc/plan.ts';
import { Child } from '../server/master/child.ts';
import { loadPlan } from '../server/master/load-plan.ts';
import { StartPatience } from '../server/master/start-patience.ts';
import { childProgram } from './child-program.ts';
import { withChild } from './with-child.ts';

/**
 * The first configuration, by a child as for every later one: no code of it, nor of a plugin, runs in this process. The child
 * tells the operator what is wrong with it. Rejects with a LoadFault; a signal ends both.
 */
export function loadFirst(
  told: Omit<Parameters<typeof childProgram>[0], 'explains'>,
  stderr: Writable,
): Promise<Checked> {
  const log = createLogger({ level: 'error', format: 'auto', stream: stderr });
  const child = Child.start('plan', { program: childProgram({ ...told, explains: true }), log });
  return withChild(child, loadPlan(child, new StartPatience(Infinity)));
}
