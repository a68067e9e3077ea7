import type { Writable } from 'node:stream';

import type { CliIo } from '../cli-io.ts';

/** A command of `popper` that asks a daemon which runs. */
export interface ControlCommand {
  /** The word and its arguments, as the help shows them: `kick <target>`. */
  readonly usage: string;
  readonly summary: string;
  /** Asks, prints the answer and gives the exit code. Throws what the client throws. */
  readonly run: (asking: Asking) => Promise<number>;
}

export interface Asking {
  /** The daemon's socket. */
  readonly path: string;
  /** The first argument; empty where the command takes none. */
  readonly target: string;
  /** Whether the answer is for a program: one JSON object a line, as the daemon gave it. */
  readonly json: boolean;
  readonly io: CliIo;
}

/** Prints a line, and resolves when it has been taken or its reader is gone. */
export function printLine(stream: Writable, line: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(`${line}\n`, () => resolve());
  });
}

/** As JSON in printable ASCII: what a client chose must not reach a terminal as it is. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
