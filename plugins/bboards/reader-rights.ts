import type { Stats } from 'node:fs';

import type { Identity } from 'popperd';

type Ids = Pick<Identity, 'uid' | 'gid'>;
type Mode = Readonly<Record<'uid' | 'gid' | 'mode', Stats['uid']>>;

/**
 * Whether the user may read a file that this process could open. One that is the user (`isolation: 'user'`) has been told so by
 * the kernel, which knows all of his groups; for any other the file's mode decides, by his uid and his own group.
 */
export function mayRead({ uid, gid, mode }: Mode, user: Ids, processUid = process.geteuid?.()): boolean {
  if (user.uid === processUid) return true;
  if (user.uid === uid) return (mode & 0o400) !== 0;
  return (mode & (user.gid === gid ? 0o040 : worldReadable)) !== 0;
}

/** Only such boards are listed (RFC 1082). */
export const isForAll = ({ mode }: Pick<Mode, 'mode'>): boolean => (mode & worldReadable) !== 0;

const worldReadable = 0o004;
