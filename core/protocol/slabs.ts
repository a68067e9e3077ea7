import { BufferPool } from './buffer-pool.ts';
import { kernel } from './kernel.ts';

/** So many of those that are not the kernel's may lie idle. */
const maxIdleSpares = 16;

/**
 * Memory to encode messages into, used over and over. The first ones are the kernel's own, which are encoded into without
 * a copy; where sessions hold all of them, others do as well. For who takes one the same holds as for a `BufferPool`.
 */
export class Slabs {
  readonly #octets: number;
  readonly #own = new Set<Buffer>();
  readonly #idle: Buffer[] = [];
  readonly #spare: BufferPool;

  /** Of each slab. */
  constructor(octets: number) {
    this.#octets = octets;
    this.#spare = new BufferPool(octets, maxIdleSpares);
  }

  /** Holds what was there before. */
  take(): Buffer {
    return this.#idle.pop() ?? this.#newOwn() ?? this.#spare.take();
  }

  giveBack(slab: Buffer): void {
    if (this.#own.has(slab)) this.#idle.push(slab);
    else this.#spare.giveBack(slab);
  }

  #newOwn(): Buffer | undefined {
    const slab = kernel.newSlab(this.#octets);
    if (slab !== undefined) this.#own.add(slab);
    return slab;
  }
}
