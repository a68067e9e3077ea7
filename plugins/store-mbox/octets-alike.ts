import type { OpenFile } from './commit/index.ts';

/** A place in a file. */
interface FilePlace {
  readonly file: OpenFile;
  readonly start: number;
}

/** Whether so many octets are the same in two places. */
export async function octetsAlike(one: FilePlace, other: FilePlace, octets: number): Promise<boolean> {
  const [left, right] = [Buffer.alloc(chunkOctets), Buffer.alloc(chunkOctets)];
  for (let done = 0; done < octets; done += chunkOctets) {
    const length = Math.min(chunkOctets, octets - done);
    const read = await one.file.read(left.subarray(0, length), one.start + done);
    if (read < length || (await other.file.read(right.subarray(0, length), other.start + done)) < length)
      return false;
    if (!left.subarray(0, length).equals(right.subarray(0, length))) return false;
  }
  return true;
}

const chunkOctets = 64 * 1024;
