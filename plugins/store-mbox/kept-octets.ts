import type { ReadOctets } from './file-window.ts';
import type { ReadAhead } from './message-reader.ts';
import type { WindowPool } from './window-pool.ts';

/** Keeps what a look through a mailbox has read, for whoever reads messages in it next. */
export class KeptOctets {
  #read: ReadOctets | undefined;

  /** In place of what was kept before. */
  keep(read: ReadOctets): void {
    this.drop();
    this.#read = read;
  }

  /** As a window; undefined if there is nothing, or sessions hold as much as they may. Nothing is kept any more. */
  take(windows: WindowPool): ReadAhead | undefined {
    if (this.#read === undefined) return undefined;
    const { room, start, filledOctets } = this.#read;
    const window = windows.adopt(room);
    if (window === undefined) this.drop();
    this.#read = undefined;
    return window && { window, start, filledOctets };
  }

  drop(): void {
    this.#read?.room.giveBack();
    this.#read = undefined;
  }
}
