import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { runProgram } from './program.ts';

/** What a run of the program left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the program in this process, in a folder, with nothing on its standard input: for tests. A config that the machine has for its
 * own popper is not found.
 */
export async function runInMemory(args: readonly string[], workingFolder: string): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const printed = Promise.all([text(stdout), text(stderr)]);
  const io = { stdin: Readable.from([]), stdout, stderr, workingFolder, otherFolders: [] };
  const code = await runProgram(args, io);
  stdout.end();
  stderr.end();
  const [out, error] = await printed;
  return { code, stdout: out, stderr: error };
}
