import type { Writable } from 'node:stream';

import type { SubcommandIo } from '../plugin/subcommand.ts';
import type { TakenClient } from '../server/inetd/sole-client.ts';

/** What a command of the `popper` program works with. */
export interface CliIo extends SubcommandIo {
  /** Relative file names are taken from here, and here the search for a config begins. */
  readonly workingFolder: string;
  /** Where the search for a config goes on. */
  readonly otherFolders: readonly string[];
  /** With `--inetd`: who is on standard input. */
  readonly client?: TakenClient;
}

/** Whether colours make sense there: on a terminal, unless NO_COLOR says otherwise. */
export const hasColours = (stream: Writable): boolean =>
  'isTTY' in stream &&
  stream.isTTY === true &&
  'hasColors' in stream &&
  typeof stream.hasColors === 'function' &&
  stream.hasColors() === true;
