import { stat } from 'node:fs/promises';

import { makeStateDir } from '../state-folder.ts';

/** Makes it (0711), or throws an Error that says what keeps users from the folders in it that will be theirs. */
export async function prepareStateDir(stateDir: string): Promise<void> {
  await makeStateDir(stateDir);
  const { mode } = await stat(stateDir);
  if ((mode & 0o001) === 0)
    throw new Error(`stateDir: users cannot reach their folders in ${stateDir}: chmod 711 ${stateDir}`);
}
