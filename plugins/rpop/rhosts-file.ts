import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';

const maxOctets = 64 * 1024;

/** The file, or why it is not believed, for the log. */
export type Rhosts = { readonly text: string } | { readonly refused: string };

/**
 * Reads the .rhosts file of a home. It is believed where both are the user's or root's, nobody else may write to either, and it is a
 * regular file with one name: whoever could write to it, or put another in its place, would let himself in. It may be no link. Never
 * throws.
 */
export async function readRhosts(home: string, uid: number): Promise<Rhosts> {
  const path = join(home, '.rhosts');
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    const exposed = exposureOf(await stat(home), uid);
    if (exposed !== undefined) return { refused: `${home} ${exposed}` };
    const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    try {
      const refused = faultOf(await handle.stat(), uid);
      if (refused !== undefined) return { refused: `${path} ${refused}` };
      return { text: await handle.readFile('latin1') };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

interface Facts {
  readonly uid: number;
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  isFile(): boolean;
}

/** How others than the user and root could change what is there. */
function exposureOf(facts: Pick<Facts, 'uid' | 'mode'>, uid: number): string | undefined {
  if (facts.uid !== uid && facts.uid !== 0) return `belongs to uid ${facts.uid}, and not to the user`;
  return (facts.mode & 0o022) === 0 ? undefined : 'may be written to by others than its owner';
}

function faultOf(facts: Facts, uid: number): string | undefined {
  if (!facts.isFile()) return 'is no regular file';
  const exposed = exposureOf(facts, uid);
  if (exposed !== undefined) return exposed;
  if (facts.nlink !== 1) return 'has more than one name';
  return facts.size > maxOctets ? `has more than ${maxOctets} octets` : undefined;
}
