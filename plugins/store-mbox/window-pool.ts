import { BufferPool } from 'popperd';

import { largeBuffers, type Room } from './commit/index.ts';

/** Memory that a session reads ahead into. */
export interface Window extends Room {
  /** In place of `giveBack`, where something may still write to it: nobody else gets it then. */
  giveUp(): void;
}

/**
 * Memory to read ahead into. Each session gets a small window; one that goes on reading gets a large one, for a few large
 * reads cost much less than many small ones. There are only so many of those, because a client that stops reading in
 * the middle of a message keeps his.
 */
export class WindowPool {
  readonly smallOctets: number;
  readonly #small: BufferPool;
  #leftCount: number;

  constructor(smallOctets: number, largeCount: number = maxLargeCount) {
    this.smallOctets = smallOctets;
    this.#small = new BufferPool(smallOctets, Math.ceil(idleSmallOctets / smallOctets));
    this.#leftCount = smallOctets >= largeBuffers.octets ? 0 : largeCount;
  }

  takeSmall(): Window {
    const octets = this.#small.take();
    return windowOf(octets, { giveBack: () => this.#small.giveBack(octets), always: () => {} });
  }

  /** A large window, or undefined if all are taken or would be no larger. */
  takeLarge(): Window | undefined {
    if (this.#leftCount === 0) return undefined;
    const octets = largeBuffers.take();
    return this.#large({ octets, giveBack: () => largeBuffers.giveBack(octets) });
  }

  /** Room that has been read into already, as a window; undefined where it is too large, or large and none is left. */
  adopt(room: Room): Window | undefined {
    const heldOctets = room.octets.buffer.byteLength;
    if (heldOctets <= this.smallOctets) {
      return windowOf(room.octets, { giveBack: () => room.giveBack(), always: () => {} });
    }
    return heldOctets <= largeBuffers.octets && this.#leftCount > 0 ? this.#large(room) : undefined;
  }

  #large(room: Room): Window {
    this.#leftCount -= 1;
    return windowOf(room.octets, {
      giveBack: () => room.giveBack(),
      always: () => {
        this.#leftCount += 1;
      },
    });
  }
}

const maxLargeCount = 16;
/** What small windows that nobody uses may hold in all. */
const idleSmallOctets = 4 * 1024 * 1024;

interface End {
  readonly giveBack: () => void;
  /** Also where it is given up. */
  readonly always: () => void;
}

function windowOf(octets: Buffer, { giveBack, always }: End): Window {
  return {
    octets,
    giveBack() {
      always();
      giveBack();
    },
    giveUp: always,
  };
}
