import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { runProgram } from './program.ts';

/** What a run of the program left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in this process, in a folder, with nothing on its standard input: for tests. */
export async function runInMemory(args: readonly string[], workingFolder: string): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const printed = Promise.all([text(stdout), text(stderr)]);
  const code = await runProgram(args, { stdin: Readable.from([]), stdout, stderr, workingFolder });
  stdout.end();
  stderr.end();
  const [out, error] = await printed;
  return { code, stdout: out, stderr: error };
}
