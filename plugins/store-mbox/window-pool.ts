/**
 * Memory to read ahead into. Each session gets a small window; one that goes on reading gets a large one, for a few large
 * reads cost much less than many small ones. There are only so many of those, because a client that stops reading in
 * the middle of a message keeps his.
 */
export class WindowPool {
  readonly #smallOctets: number;
  readonly #freeWindows: Buffer[] = [];
  #leftCount: number;

  constructor(smallOctets: number, largeCount: number = maxLargeCount) {
    this.#smallOctets = smallOctets;
    this.#leftCount = largeCount;
  }

  newSmall(): Buffer {
    return Buffer.allocUnsafeSlow(this.#smallOctets);
  }

  /** A large window, or undefined if all are taken or would be no larger. */
  takeLarge(): Buffer | undefined {
    if (this.#smallOctets >= largeOctets) return undefined;
    const free = this.#freeWindows.pop();
    if (free !== undefined) return free;
    if (this.#leftCount === 0) return undefined;
    this.#leftCount -= 1;
    return Buffer.allocUnsafeSlow(largeOctets);
  }

  /** Takes a window back when nobody looks at it any more; small ones are simply dropped. */
  giveBack(window: Buffer | undefined): void {
    if (window?.length === largeOctets && this.#smallOctets < largeOctets) this.#freeWindows.push(window);
  }
}

const largeOctets = 1024 * 1024;
const maxLargeCount = 16;
