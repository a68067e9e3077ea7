import {
  carriageReturn,
  dot,
  encodableOctets,
  lineFeed,
  type Encoded,
  type Kernel,
  type OnHit,
} from './kernel-interface.ts';

/** The kernel in plain TypeScript, for where WebAssembly SIMD is not to be had. The clearer of the two: read this one. */
export const plainKernel: Kernel = {
  name: 'plain',
  newSlab: () => undefined,
  countLineFeeds,
  countBareLineFeeds,
  encodeInto,
  scanLineStarts,
};

function countLineFeeds(source: Uint8Array): number {
  let count = 0;
  for (let at = source.indexOf(lineFeed); at !== -1; at = source.indexOf(lineFeed, at + 1)) count += 1;
  return count;
}

function countBareLineFeeds(source: Uint8Array, previousOctet: number): number {
  let count = 0;
  for (let at = source.indexOf(lineFeed); at !== -1; at = source.indexOf(lineFeed, at + 1)) {
    if (octetBefore(source, at, previousOctet) !== carriageReturn) count += 1;
  }
  return count;
}

function encodeInto(source: Uint8Array, target: Uint8Array, previousOctet: number, at = 0): Encoded {
  const wire = new Wire(at === 0 ? target : target.subarray(at));
  let readOctets = 0;
  let bareLineFeeds = 0;
  for (;;) {
    const octets = encodableOctets(source.length - readOctets, target.length - at - wire.octets);
    if (octets === 0) return { readOctets, writtenOctets: wire.octets, bareLineFeeds };
    const slice = source.subarray(readOctets, readOctets + octets);
    bareLineFeeds += encodeSlice(slice, source[readOctets - 1] ?? previousOctet, wire);
    readOctets += octets;
  }
}

/** Writes all of the slice, a run of octets that need nothing at a time, and returns its bare line feeds. */
function encodeSlice(slice: Uint8Array, previousOctet: number, wire: Wire): number {
  let bareLineFeeds = 0;
  let runStart = 0;
  const insert = (octet: number, index: number): void => {
    wire.add(slice, runStart, index);
    wire.addOctet(octet);
    runStart = index;
  };
  if (previousOctet === lineFeed && slice[0] === dot) insert(dot, 0);
  for (let at = slice.indexOf(lineFeed); at !== -1; at = slice.indexOf(lineFeed, at + 1)) {
    if (octetBefore(slice, at, previousOctet) !== carriageReturn) {
      bareLineFeeds += 1;
      insert(carriageReturn, at);
    }
    if (slice[at + 1] === dot) insert(dot, at + 1);
  }
  wire.add(slice, runStart, slice.length);
  return bareLineFeeds;
}

/** The output, filled from its start. */
class Wire {
  octets = 0;
  readonly #target: Uint8Array;

  constructor(target: Uint8Array) {
    this.#target = target;
  }

  add(source: Uint8Array, from: number, to: number): void {
    // A call of `set` costs more than a few octets by hand, and a message may be of nothing but line ends.
    if (to - from < 16) {
      for (let index = from; index < to; index += 1) this.addOctet(source[index]);
      return;
    }
    this.#target.set(source.subarray(from, to), this.octets);
    this.octets += to - from;
  }

  addOctet(octet = 0): void {
    this.#target[this.octets] = octet;
    this.octets += 1;
  }
}

function scanLineStarts(source: Uint8Array, previousOctet: number, prefix: Uint8Array, onHit: OnHit): number {
  let bareLineFeeds = 0;
  if (previousOctet === lineFeed && hasPrefix(source, 0, prefix)) onHit(0, 0);
  for (let at = source.indexOf(lineFeed); at !== -1; at = source.indexOf(lineFeed, at + 1)) {
    if (octetBefore(source, at, previousOctet) !== carriageReturn) bareLineFeeds += 1;
    if (hasPrefix(source, at + 1, prefix)) onHit(at + 1, bareLineFeeds);
  }
  return bareLineFeeds;
}

function octetBefore(source: Uint8Array, index: number, previousOctet: number): number | undefined {
  return index === 0 ? previousOctet : source[index - 1];
}

function hasPrefix(source: Uint8Array, index: number, prefix: Uint8Array): boolean {
  return prefix.every((octet, offset) => source[index + offset] === octet);
}
