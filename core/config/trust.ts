import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { ConfigProblem } from './problem.ts';
import { plainSource } from './source.ts';

/** Who is about to run the config. */
export interface Runner {
  /** The effective uid of this process. */
  readonly uid: number;
  /** The uid of whoever called sudo, if anybody did. */
  readonly sudoUid?: number | undefined;
}

/** This process, as it is now. */
export function thisRunner(): Runner {
  const uid = process.geteuid?.() ?? 0;
  const sudoUid = Number(process.env['SUDO_UID'] ?? Number.NaN);
  return Number.isSafeInteger(sudoUid) ? { uid, sudoUid } : { uid };
}

/**
 * A config is code, or names code: if root runs it, whoever can change it is root. Says who else could, or gives nothing
 * where it may be run. Also looks at the folder, in which a file can be replaced, and behind a symbolic link.
 */
export async function distrust(file: string, runner: Runner): Promise<readonly ConfigProblem[]> {
  if (runner.uid !== 0) return [];
  const target = await realpath(file);
  const places = new Set([file, target, dirname(file), dirname(target)]);
  const problems = await Promise.all([...places].map((place) => distrustPlace(file, place, runner)));
  return problems.flat();
}

async function distrustPlace(file: string, place: string, runner: Runner): Promise<readonly ConfigProblem[]> {
  const link = await lstat(place);
  const { uid, gid, mode } = link.isSymbolicLink() && place !== file ? await stat(place) : link;
  const source = plainSource(file, '');
  if (uid !== 0 && uid !== runner.sudoUid) {
    const what = `root will not run it: ${place} belongs to uid ${uid}, who could change it`;
    return [{ source, what, fix: `chown root ${place}` }];
  }
  // A link's own mode means nothing; a group of root's is root.
  const others = link.isSymbolicLink() ? 0 : mode & (gid === 0 ? 0o002 : 0o022);
  if (others === 0) return [];
  const who = (others & 0o002) === 0 ? `group ${gid}` : 'everybody';
  return [
    {
      source,
      what: `root will not run it: ${place} can be changed by ${who}`,
      fix: `chmod go-w ${place}`,
    },
  ];
}
