import type { Writable } from 'node:stream';

import { ConfigError, type ConfigProblem, NoConfigError } from '../config/problem.ts';
import { nameOf, renderProblem } from '../config/render-problem.ts';
import { counted } from '../counted.ts';
import { MissingSocket } from '../server/activation/sockets-for.ts';
import { AccountFault } from '../server/user/account.ts';
import { hasColours } from './cli-io.ts';
import { exitCode } from './exit-code.ts';

/** Tells the operator what is wrong with the config and gives the exit code; throws again what is not about that. */
export function explain(error: unknown, stream: Writable, workingFolder: string): number {
  if (error instanceof NoConfigError) {
    stream.write(`popper: ${error.message}\n`);
    return exitCode.unusable;
  }
  if (error instanceof AccountFault || error instanceof MissingSocket) {
    stream.write(`popper: cannot start: ${error.message}\n`);
    return exitCode.problems;
  }
  if (!(error instanceof ConfigError)) throw error;
  writeProblems(error.problems, stream, workingFolder);
  return exitCode.problems;
}

function writeProblems(problems: readonly ConfigProblem[], stream: Writable, workingFolder: string): void {
  const colours = hasColours(stream);
  for (const problem of problems) stream.write(`${renderProblem(problem, { workingFolder, colours })}\n`);
  const file = problems[0]?.source.file ?? '';
  stream.write(`${counted(problems.length, 'problem')} in ${nameOf(file, workingFolder)}\n`);
}

export { counted as count };
