import type { Core } from '../core.ts';
import { capacityOf, maxOpenFiles, openFilesFor } from './descriptors.ts';

/**
 * How many connections this process can have open without running out of files. Where that is less than the configuration
 * allows, the operator is told, and what to change; clients for whom there is no file would hear nothing at all.
 */
export async function roomForSessions({ settings, log }: Pick<Core, 'settings' | 'log'>): Promise<number> {
  const { connections } = settings.limits;
  const openFiles = await maxOpenFiles();
  const capacity = capacityOf(openFiles);
  if (capacity < connections) {
    const fix = `set LimitNOFILE=${openFilesFor(connections)} in the unit (ulimit -n in a shell), or limits.connections: ${capacity}`;
    log.warn('too few open files for limits.connections', {
      connections,
      possible: capacity,
      openFiles,
      fix,
    });
  }
  return capacity;
}
