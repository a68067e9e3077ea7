import { BufferPool } from 'popperd';

import { largeBuffers } from './commit/index.ts';

/**
 * Memory to read ahead into. Each session gets a small window; one that goes on reading gets a large one, for a few large
 * reads cost much less than many small ones. There are only so many of those, because a client that stops reading in
 * the middle of a message keeps his.
 */
export class WindowPool {
  readonly #smallOctets: number;
  readonly #small: BufferPool;
  #leftCount: number;

  constructor(smallOctets: number, largeCount: number = maxLargeCount) {
    this.#smallOctets = smallOctets;
    this.#small = new BufferPool(smallOctets, Math.ceil(idleSmallOctets / smallOctets));
    this.#leftCount = smallOctets >= largeBuffers.octets ? 0 : largeCount;
  }

  takeSmall(): Buffer {
    return this.#small.take();
  }

  /** A large window, or undefined if all are taken or would be no larger. */
  takeLarge(): Buffer | undefined {
    if (this.#leftCount === 0) return undefined;
    this.#leftCount -= 1;
    return largeBuffers.take();
  }

  /** Takes a window back when nobody looks at it any more. */
  giveBack(window: Buffer): void {
    if (window.length === this.#smallOctets) return this.#small.giveBack(window);
    this.#leftCount += 1;
    largeBuffers.giveBack(window);
  }

  /** For a large window that cannot be given back, because something may still write to it. */
  giveUp(window: Buffer): void {
    if (window.length !== this.#smallOctets) this.#leftCount += 1;
  }
}

const maxLargeCount = 16;
/** What small windows that nobody uses may hold in all. */
const idleSmallOctets = 4 * 1024 * 1024;
