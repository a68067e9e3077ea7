import type { OpenFile } from './files.ts';

/** Small extents nearer than this are read together: one call costs more than copying what lies between. */
const gapOctets = 64 * 1024;
const windowOctets = 1024 * 1024;

/**
 * What the mailbox will hold from the first deleted octet on: the kept extents as one stream. Reads go forward;
 * going back is allowed and costs a walk from the start.
 */
export class AfterImage {
  #edges: Float64Array;
  #octets: number;
  /** The extent that the last position was in, and the octets before it. */
  #cursor = { edge: 0, before: 0 };
  #window: Buffer | undefined;

  /** `edges`: start, end, start, end, ... in the mailbox, ascending. */
  constructor(edges: Float64Array) {
    this.#edges = edges;
    this.#octets = sum(edges);
  }

  get octets(): number {
    return this.#octets;
  }

  /** Takes in mail that came behind everything seen so far. */
  extend(start: number, end: number): void {
    if (end <= start) return;
    const last = this.#edges.length - 1;
    if (this.#edges[last] === start) this.#edges[last] = end;
    else this.#edges = withEdges(this.#edges, start, end);
    this.#octets += end - start;
  }

  /** Where in the mailbox the octet at this position of the stream lies. */
  sourceOf(position: number): number {
    this.#seek(position);
    return this.#start(this.#cursor.edge) + position - this.#cursor.before;
  }

  /** Fills `target` from `position` of the stream on. Throws if the mailbox is shorter than it was. */
  async read(file: OpenFile, position: number, target: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      filled += await this.#readRun(file, position + filled, target.subarray(filled));
    }
  }

  async #readRun(file: OpenFile, position: number, target: Uint8Array): Promise<number> {
    const source = this.sourceOf(position);
    const whole = Math.min(this.#end(this.#cursor.edge) - source, target.length);
    const runEnd = this.#runEnd(source + whole, source + windowOctets, target.length - whole);
    if (runEnd === source + whole) {
      await readExactly(file, target.subarray(0, whole), source);
      return whole;
    }
    this.#window ??= Buffer.allocUnsafe(windowOctets);
    const window = this.#window.subarray(0, runEnd - source);
    await readExactly(file, window, source);
    return this.#copyRun(position, window, target);
  }

  /** The end of the last extent that is worth reading in the same call. */
  #runEnd(from: number, windowEnd: number, wantedOctets: number): number {
    let end = from;
    let wanted = wantedOctets;
    for (let edge = this.#cursor.edge + 2; edge < this.#edges.length && wanted > 0; edge += 2) {
      const start = this.#start(edge);
      if (start - end > gapOctets || start >= windowEnd) break;
      const piece = Math.min(this.#end(edge) - start, wanted, windowEnd - start);
      end = start + piece;
      wanted -= piece;
    }
    return end;
  }

  #copyRun(position: number, window: Uint8Array, target: Uint8Array): number {
    const source = this.sourceOf(position);
    const runEnd = source + window.length;
    let copied = 0;
    while (copied < target.length) {
      const start = this.sourceOf(position + copied);
      const end = Math.min(this.#end(this.#cursor.edge), start + target.length - copied, runEnd);
      if (end <= start) break;
      target.set(window.subarray(start - source, end - source), copied);
      copied += end - start;
      if (position + copied >= this.#octets) break;
    }
    return copied;
  }

  #seek(position: number): void {
    if (position < this.#cursor.before) this.#cursor = { edge: 0, before: 0 };
    for (;;) {
      const octets = this.#end(this.#cursor.edge) - this.#start(this.#cursor.edge);
      if (position < this.#cursor.before + octets) return;
      this.#cursor = { edge: this.#cursor.edge + 2, before: this.#cursor.before + octets };
    }
  }

  #start(edge: number): number {
    return at(this.#edges, edge);
  }

  #end(edge: number): number {
    return at(this.#edges, edge + 1);
  }
}

/** The extents between and behind the deleted ranges, up to the end of the mailbox, as edges. */
export function keptAbove(deleted: Float64Array, mailboxOctets: number): Float64Array {
  const kept = new Float64Array(deleted.length);
  let count = 0;
  for (let edge = 1; edge < deleted.length; edge += 2) {
    const start = at(deleted, edge);
    const end = deleted[edge + 1] ?? mailboxOctets;
    if (end === start) continue;
    kept[count] = start;
    kept[count + 1] = end;
    count += 2;
  }
  return kept.slice(0, count);
}

/** Reads all of `target`, or throws because somebody cut the file meanwhile. */
export async function readExactly(file: OpenFile, target: Uint8Array, position: number): Promise<void> {
  const octets = await file.read(target, position);
  if (octets < target.length) throw new Error('the mailbox became shorter while it was locked');
}

function withEdges(edges: Float64Array, start: number, end: number): Float64Array {
  const more = new Float64Array(edges.length + 2);
  more.set(edges);
  more.set([start, end], edges.length);
  return more;
}

function sum(edges: Float64Array): number {
  let octets = 0;
  for (let edge = 0; edge < edges.length; edge += 2) octets += at(edges, edge + 1) - at(edges, edge);
  return octets;
}

function at(edges: Float64Array, index: number): number {
  const edge = edges[index];
  if (edge === undefined) throw new RangeError('a position behind the end of the after-image');
  return edge;
}
