import { lstatSync, mkdtempSync, rmdirSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Checkup } from 'popperd';

import { CannotTrace, errnoOf, faultOf, tryTrace } from './trace-file.ts';
import { wayOut } from './way-out.ts';

type Asked = Pick<Checkup, 'fine' | 'problem' | 'asFront' | 'frontUser'>;

/** Whether a trace could be written there by who talks to strangers, without making a file. */
export function lookOver(path: string, checkup: Asked): void {
  checkup.asFront(() => {
    try {
      tryOut(path);
      checkup.fine(`the trace can be written to ${path}`);
    } catch (error) {
      if (!(error instanceof CannotTrace)) throw error;
      checkup.problem(`file: ${error.message}`, wayOut(error, checkup.frontUser));
    }
  });
}

/** Throws a CannotTrace where a trace could not be opened. */
function tryOut(path: string): void {
  const stat = statOf(path);
  if (stat === undefined) return tryFolder(path);
  const fault = faultOf(stat);
  if (fault !== undefined) throw new CannotTrace(path, fault);
  tryTrace(path);
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new CannotTrace(path, errnoOf(error), error);
  }
}

/**
 * Only making something tells whether another could: `access` asks for whoever started the program. Its name is short, since the
 * trace's may be as long as the system takes.
 */
function tryFolder(path: string): void {
  try {
    rmdirSync(mkdtempSync(join(dirname(path), '.popper-')));
  } catch (error) {
    throw new CannotTrace(path, errnoOf(error), error);
  }
}
