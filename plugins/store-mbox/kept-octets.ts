import type { Room } from './commit/index.ts';
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
    const { start, filledOctets } = this.#read;
    if (filledOctets <= copiedOctets) this.#read = { start, filledOctets, room: this.#copy(this.#read) };
    const window = windows.adopt(this.#read.room);
    if (window === undefined) this.drop();
    this.#read = undefined;
    return window && { window, start, filledOctets };
  }

  /** Room of its own for a little, so that the larger one serves the next login. */
  #copy({ room, filledOctets }: ReadOctets): Room {
    const octets = Buffer.allocUnsafeSlow(filledOctets);
    room.octets.copy(octets, 0, 0, filledOctets);
    room.giveBack();
    return { octets, giveBack: () => {} };
  }

  drop(): void {
    this.#read?.room.giveBack();
    this.#read = undefined;
  }
}

/** To copy this much costs a microsecond; a thousand who log in at once would hold 72 KiB each otherwise. */
const copiedOctets = 16 * 1024;
