import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { aptLine, missingPackages } from '../../packages.mjs';

export interface Ran {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface RunOptions {
  /** Becomes HOME and the working folder: no file of the person who runs the tests is read. */
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** Exit codes that are no failure. Default: 0 alone. */
  readonly fine?: readonly number[];
}

/** npm may have to ask a slow registry, on a busy machine. */
const timeoutMs = 180_000;

/** Runs a program to its end. Rejects, with all it said, where it fails. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { home, env, input, fine = [0] } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        cwd: home,
        env: { PATH: process.env['PATH'], HOME: home, LC_ALL: 'C', ...env },
        encoding: 'buffer',
        maxBuffer: 64 * 1024 * 1024,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code;
        if (typeof exitCode === 'number' && fine.includes(exitCode)) {
          return resolve({ stdout, stderr: stderr.toString(), exitCode });
        }
        reject(
          new Error(`${program} failed (${exitCode}): ${stderr.toString()}${stdout.toString()}`, {
            cause: error,
          }),
        );
      },
    );
    child.stdin?.on('error', () => {}).end(input);
  });
}

/** Options of a test that needs a program: skips it, and says how not to, where the package is not there. */
export function needs(...names: readonly string[]): { readonly skip: string | false } {
  const missing = missingPackages().filter(({ name }) => names.includes(name));
  return { skip: missing.length > 0 && `needs ${aptLine(missing)}` };
}

/** A helper program that stands beside this file. */
export const helper = (name: string): string => join(import.meta.dirname, name);
