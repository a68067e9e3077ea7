import type { Readable, Writable } from 'node:stream';

export interface SubcommandIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** A command of the `popper` program that a plugin brings, such as `popper passwd`. */
export interface Subcommand {
  /** The word after `popper`: lower case. */
  readonly name: string;
  /** One line for `popper --help`. */
  readonly summary: string;
  /** What `popper NAME --help` prints. */
  readonly usage: string;
  /** `args` is what stands after the name. Answers with the exit code: 0 done, 1 not done, 2 cannot be done so. */
  run(args: readonly string[], io: SubcommandIo): Promise<number>;
}
