import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { WarmNames } from 'popperd';

/** Whether there is something under the name. One that was looked up lately is looked up on the spot (docs/decisions/0007). */
export async function isThere(path: string): Promise<boolean> {
  if (warm.has(path)) return statSync(path, { throwIfNoEntry: false }) !== undefined;
  const found = await isFound(path);
  // In a folder that is missing as well nobody can say which machine it is on, and for minutes nobody would ask again.
  if (found || (await isFound(dirname(path)))) await warm.add(path);
  return found;
}

async function isFound(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

const warm = new WarmNames();
