import { closeSync, constants, openSync } from 'node:fs';

import type { Checkup } from 'popperd';

/** For `popper check`: whether the account that checks passwords, where there is one for that alone, can read these files. */
export function tryToRead(files: readonly string[], checkup: Checkup): void {
  const { authUser } = checkup;
  if (authUser === undefined) return;
  checkup.asAuth(() => {
    for (const file of files) {
      try {
        closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error)) throw error;
        // What is not there nobody can read, and that is told by whoever looks at the file.
        if (error.code === 'ENOENT') continue;
        checkup.problem(
          `${file}: ${authUser.name}, who checks passwords, cannot read it (${String(error.code)})`,
          `let him read it and reach its folder (chown ${authUser.name}, chmod), or leave authUser out`,
        );
      }
    }
  });
}
