import { accessSync, constants, lstatSync } from 'node:fs';
import { dirname } from 'node:path';

import { CannotTrace, faultOf } from './trace-file.ts';

/** Who hears what was found. */
interface Checkup {
  fine(what: string): void;
  problem(what: string, fix: string): void;
}

/** Whether a trace could be written there, without making a file. */
export function lookOver(path: string, checkup: Checkup): void {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const fault = stat && faultOf(stat);
    if (fault !== undefined) throw new CannotTrace(path, fault);
    accessSync(stat === undefined ? dirname(path) : path, constants.W_OK);
    checkup.fine(`the trace can be written to ${path}`);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    checkup.problem(`file: ${what}`, 'name a regular file, no link, in a folder where popper may write');
  }
}
