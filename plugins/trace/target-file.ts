import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { maxTargets, type Target, targetsIn, textOf } from './targets.ts';

/** Far more than the most that `writeTargets` writes. */
const maxFileOctets = maxTargets * 1024;

/** Those in the file; none where it is not there. Throws an Error that says why it is not believed. */
export function readTargets(path: string): readonly Target[] {
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return [];
  try {
    refuseForeign(path, descriptor);
    return targetsIn(readFileSync(descriptor, 'utf8'));
  } finally {
    closeSync(descriptor);
  }
}

/** Puts these in the place of those that are there: whoever reads sees the old ones or the new. Throws a system error. */
export async function writeTargets(path: string, targets: readonly Target[]): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  await rm(draft, { force: true });
  try {
    const file = await open(draft, 'wx', 0o644);
    try {
      // Each of the daemon's processes reads it, whoever that runs as, and whatever the umask.
      await file.chmod(0o644);
      await file.writeFile(textOf(targets));
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function openIfThere(path: string): number | undefined {
  try {
    // O_NONBLOCK: a pipe under this name must not make the daemon wait for a writer.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whoever has the folder could put another file there at any time. */
function refuseForeign(path: string, descriptor: number): void {
  const stat = fstatSync(descriptor);
  const owners = [0, process.geteuid?.() ?? 0, statSync(dirname(path)).uid];
  if (!stat.isFile()) throw new Error('it is no regular file');
  if (!owners.includes(stat.uid)) throw new Error(`it belongs to uid ${stat.uid}`);
  if ((stat.mode & 0o022) !== 0) throw new Error('others may write to it');
  if (stat.size > maxFileOctets) throw new Error(`it has more than ${maxFileOctets} octets`);
}
