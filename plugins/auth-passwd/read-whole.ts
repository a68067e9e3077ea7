import { constants, type BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';

import { FileFault } from './file-fault.ts';

/** Half a million accounts; whatever is bigger was named by mistake. */
const maxFileOctets = 64 * 1024 * 1024;

export interface WholeFile {
  readonly octets: Buffer;
  readonly version: string;
  /** Set where it can be used and had better be mended. */
  readonly advice: { readonly what: string; readonly fix: string } | undefined;
}

/** Differs whenever the file has been written, replaced or given other rights. */
export const versionOf = (facts: BigIntStats): string =>
  [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join(' ');

/** Who reads a file, and may own it. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const thisProcess = (): Owner => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });

/** Reads all of the file, or gives undefined where it changed meanwhile. Throws where it is no file to be trusted. */
export async function readWhole(file: string, daemon = thisProcess()): Promise<WholeFile | undefined> {
  // O_NONBLOCK: a pipe under this name must not make the daemon wait for a writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const before = await handle.stat({ bigint: true });
    assertTrusted(file, before, { uid: BigInt(daemon.uid), gid: BigInt(daemon.gid) });
    const octets = await handle.readFile();
    const version = versionOf(before);
    const whole =
      octets.length === Number(before.size) && version === versionOf(await handle.stat({ bigint: true }));
    // The name may lead to another file by now.
    if (!whole || version !== versionOf(await stat(file, { bigint: true }))) return undefined;
    return { octets, version, advice: adviceOn(file, before) };
  } finally {
    await handle.close();
  }
}

/** Throws where the file is not one to let people in by: whoever can write it can log in as anybody, under any uid. */
export function assertTrusted(
  file: string,
  facts: Pick<BigIntStats, 'isFile' | 'size' | 'mode' | 'uid' | 'gid'>,
  own: { readonly uid: bigint; readonly gid: bigint },
): void {
  if (!facts.isFile()) throw new FileFault(file, 'is no regular file: name the file itself');
  if (facts.size > maxFileOctets) throw new FileFault(file, `is bigger than ${maxFileOctets} octets`);
  if ((facts.mode & 0o002n) !== 0n) {
    throw new FileFault(file, `everybody may write to it, and so log in as anybody: chmod o-w ${file}`);
  }
  // Root's group is root; whoever is in the daemon's own could as well be the daemon.
  if ((facts.mode & 0o020n) !== 0n && facts.gid !== 0n && facts.gid !== own.gid) {
    throw new FileFault(
      file,
      `group ${facts.gid} may write to it, and so log in as anybody: chmod g-w ${file}`,
    );
  }
  if (facts.uid === 0n || facts.uid === own.uid) return;
  throw new FileFault(
    file,
    `belongs to uid ${facts.uid}, who could log in as anybody: chown ${own.uid} ${file}`,
  );
}

function adviceOn(file: string, { mode }: BigIntStats): WholeFile['advice'] {
  if ((mode & 0o004n) === 0n) return undefined;
  return {
    what: 'every user of this system can read the hashes and guess at them',
    fix: `chmod o-rwx ${file}`,
  };
}
