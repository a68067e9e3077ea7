import type { BulletinFolder } from '../bulletin-folder.ts';
import type { Groups } from '../groups.ts';
import type { CounterPlace } from '../places.ts';

/** What the subcommand works on: all of it is the configuration's. */
export interface Library {
  readonly folder: BulletinFolder;
  readonly groups: Groups;
  readonly host: string;
  readonly counters: CounterPlace;
  /** Where popper keeps its state. */
  readonly stateDir: () => string;
}
