import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const maxOctets = 64 * 1024;

/** The file, or why it is not believed, for the log. */
export type Rhosts = { readonly text: string } | { readonly refused: string };

/**
 * Reads the .rhosts file of a home. It is believed where it is the user's or root's, a regular file with one name, and nobody else
 * may write to it: whoever could would let himself in. Links are not followed. Never throws.
 */
export async function readRhosts(home: string, uid: number): Promise<Rhosts> {
  const path = join(home, '.rhosts');
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  try {
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

function faultOf(facts: Facts, uid: number): string | undefined {
  if (!facts.isFile()) return 'is no regular file';
  if (facts.uid !== uid && facts.uid !== 0) return `belongs to uid ${facts.uid}, and not to the user`;
  if ((facts.mode & 0o022) !== 0) return 'may be written to by others than its owner';
  if (facts.nlink !== 1) return 'has more than one name';
  return facts.size > maxOctets ? `has more than ${maxOctets} octets` : undefined;
}
