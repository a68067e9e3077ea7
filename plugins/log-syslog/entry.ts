import type { Facility, Level } from './priority.ts';

/** One record on its way to a syslog. */
export interface Entry {
  readonly level: Level;
  readonly message: string;
  /** Names and values, flat: printable ASCII, without line ends. */
  readonly fields: readonly Field[];
  readonly time: Date;
}

export type Field = readonly [name: string, value: string];

/** Whose records they are. */
export interface Sender {
  readonly facility: Facility;
  /** What stands before the process id: the program, to its readers. */
  readonly tag: string;
  readonly pid: number;
  readonly host: string;
}
