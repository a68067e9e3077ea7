type Change =
  | { readonly kind: 'write'; readonly position: number; readonly octets: Buffer }
  | { readonly kind: 'truncate'; readonly octets: number };

/** A file as the kernel sees it: what is durable, what the cache holds, and the changes between them. */
export class MemoryInode {
  readonly ino: bigint;
  readonly #sectorOctets: number;
  readonly #now: () => bigint;
  readonly #allocated = new Set<number>();
  #durable: Buffer;
  #cache: Buffer;
  #changes: Change[] = [];
  #changedNs: bigint;

  /** `now` never gives the same time twice. */
  constructor(ino: bigint, content: Uint8Array, sectorOctets: number, now: () => bigint) {
    this.ino = ino;
    this.#sectorOctets = sectorOctets;
    this.#now = now;
    this.#changedNs = now();
    this.#durable = Buffer.from(content);
    this.#cache = Buffer.from(content);
    for (let sector = 0; sector * sectorOctets < content.length; sector += 1) this.#allocated.add(sector);
  }

  get cache(): Buffer {
    return this.#cache;
  }

  /** When it was written last. */
  get changedNs(): bigint {
    return this.#changedNs;
  }

  /** At most one sector. */
  write(octets: Uint8Array, position: number): void {
    const change = { kind: 'write' as const, position, octets: Buffer.from(octets) };
    this.#cache = applied(this.#cache, change);
    this.#noteChange(change);
    this.#allocated.add(Math.floor(position / this.#sectorOctets));
  }

  /** Answers the octets that became free. */
  truncate(octets: number): number {
    const change = { kind: 'truncate' as const, octets };
    this.#cache = Buffer.from(applied(this.#cache, change));
    this.#noteChange(change);
    const sectors = [...this.#allocated].filter((sector) => sector * this.#sectorOctets >= octets);
    for (const sector of sectors) this.#allocated.delete(sector);
    return sectors.length * this.#sectorOctets;
  }

  /** The octets that a write at this position has to allocate. */
  missingOctets(position: number): number {
    return this.#allocated.has(Math.floor(position / this.#sectorOctets)) ? 0 : this.#sectorOctets;
  }

  /** The last name is gone; answers the octets that became free. */
  release(): number {
    return this.#allocated.size * this.#sectorOctets;
  }

  sync(): void {
    this.#durable = Buffer.from(this.#cache);
    this.#changes = [];
  }

  /** An fsync that failed: some changes are durable, and none will be tried again. */
  syncBadly(lost: () => boolean): void {
    for (const change of this.#changes)
      if (!lost()) this.#durable = Buffer.from(applied(this.#durable, change));
    this.#changes = [];
  }

  /** The power went. What is not what it was last has another time, too. */
  lose(lost: () => boolean): void {
    if (this.#changes.length > 0) this.#changedNs = this.#now();
    this.syncBadly(lost);
    this.#cache = Buffer.from(this.#durable);
  }

  #noteChange(change: Change): void {
    this.#changes.push(change);
    this.#changedNs = this.#now();
  }
}

function applied(content: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') return resized(content, change.octets);
  const end = change.position + change.octets.length;
  const result = end > content.length ? resized(content, end) : content;
  result.set(change.octets, change.position);
  return result;
}

function resized(content: Buffer, octets: number): Buffer {
  const result = Buffer.alloc(octets);
  content.copy(result);
  return result;
}
