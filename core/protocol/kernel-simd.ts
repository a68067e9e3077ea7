import { encodableOctets, type Encoded, type Kernel, type OnHit } from './kernel-interface.ts';

/** What kernel/kernel.ts exports. Lengths are octets, offsets are addresses in its memory. */
interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  prefixOffset(): number;
  inputOffset(): number;
  inputOctets(): number;
  outputOffset(): number;
  slabsOffset(): number;
  bareLineFeeds(): number;
  countLineFeeds(octets: number): number;
  countBareLineFeeds(octets: number, previousOctet: number): number;
  encode(octets: number, previousOctet: number, target: number): number;
  scan(octets: number, availableOctets: number, previousOctet: number, prefixOctets: number): number;
}

/** As much of the global as is used here: Node has it and @types/node does not. Undefined under `--jitless`. */
declare const WebAssembly:
  | {
      validate(module: Uint8Array): boolean;
      readonly Module: new (module: Uint8Array) => object;
      /** Made of no module but the one built from kernel/kernel.ts, so these are its exports. */
      readonly Instance: new (module: object) => { readonly exports: KernelExports };
    }
  | undefined;

/**
 * The kernel of a WebAssembly module, or undefined where the engine does not take it: WebAssembly is off, or has no
 * SIMD. Compiling takes well under a millisecond. But for the slabs, the module's memory is used within a call only, so one
 * kernel serves all sessions of a process.
 */
export function openSimdKernel(moduleOctets: Uint8Array): Kernel | undefined {
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(moduleOctets)) return undefined;
  return new SimdKernel(new WebAssembly.Instance(new WebAssembly.Module(moduleOctets)).exports);
}

/** The encoder writes whole blocks, the last one past the end. */
const behindSlabOctets = 64;

/** Cuts what it is given into slices that fit the module's input area, copies them in, and out where that is not a slab. */
class SimdKernel implements Kernel {
  readonly name = 'simd';
  readonly #exports: KernelExports;
  readonly #sliceOctets: number;
  readonly #input: Uint8Array;
  readonly #prefix: Uint8Array;
  readonly #output: Uint8Array;
  readonly #outputOffset: number;
  readonly #hits: Uint32Array;
  readonly #buffer: ArrayBuffer;
  #nextSlab: number;

  constructor(exports: KernelExports) {
    const { buffer } = exports.memory;
    this.#exports = exports;
    this.#buffer = buffer;
    this.#nextSlab = exports.slabsOffset();
    this.#outputOffset = exports.outputOffset();
    this.#sliceOctets = exports.inputOctets();
    this.#input = new Uint8Array(buffer, exports.inputOffset());
    this.#prefix = new Uint8Array(buffer, exports.prefixOffset());
    this.#output = new Uint8Array(buffer, exports.outputOffset());
    this.#hits = new Uint32Array(buffer, exports.outputOffset());
  }

  newSlab(octets: number): Buffer | undefined {
    const offset = this.#nextSlab;
    const end = offset + octets + behindSlabOctets;
    if (end > this.#buffer.byteLength) return undefined;
    this.#nextSlab = end;
    return Buffer.from(this.#buffer, offset, octets);
  }

  countLineFeeds(source: Uint8Array): number {
    let count = 0;
    for (let from = 0; from < source.length; from += this.#sliceOctets) {
      count += this.#exports.countLineFeeds(this.#load(source, from, from + this.#sliceOctets));
    }
    return count;
  }

  countBareLineFeeds(source: Uint8Array, previousOctet: number): number {
    let count = 0;
    for (let from = 0; from < source.length; from += this.#sliceOctets) {
      const octets = this.#load(source, from, from + this.#sliceOctets);
      count += this.#exports.countBareLineFeeds(octets, source[from - 1] ?? previousOctet);
    }
    return count;
  }

  encodeInto(source: Uint8Array, target: Uint8Array, previousOctet: number, at = 0): Encoded {
    let readOctets = 0;
    let writtenOctets = 0;
    let bareLineFeeds = 0;
    const slabOffset = target.buffer === this.#buffer ? target.byteOffset + at : undefined;
    for (;;) {
      const leftOctets = source.length - readOctets;
      const roomOctets = target.length - at - writtenOctets;
      const octets = Math.min(encodableOctets(leftOctets, roomOctets), this.#sliceOctets);
      if (octets === 0) return { readOctets, writtenOctets, bareLineFeeds };
      this.#load(source, readOctets, readOctets + octets);
      const previous = source[readOctets - 1] ?? previousOctet;
      const to = slabOffset === undefined ? this.#outputOffset : slabOffset + writtenOctets;
      const encodedOctets = this.#exports.encode(octets, previous, to);
      if (slabOffset === undefined) target.set(this.#output.subarray(0, encodedOctets), at + writtenOctets);
      readOctets += octets;
      writtenOctets += encodedOctets;
      bareLineFeeds += this.#exports.bareLineFeeds();
    }
  }

  scanLineStarts(source: Uint8Array, previousOctet: number, prefix: Uint8Array, onHit: OnHit): number {
    let bareLineFeeds = 0;
    this.#prefix.set(prefix);
    for (let from = 0; from < source.length; from += this.#sliceOctets) {
      const octets = Math.min(this.#sliceOctets, source.length - from);
      // A prefix may begin in this slice and end in the next.
      const availableOctets = this.#load(source, from, from + octets + prefix.length - 1);
      const previous = source[from - 1] ?? previousOctet;
      const hitCount = this.#exports.scan(octets, availableOctets, previous, prefix.length);
      for (let at = 0; at < hitCount * 2; at += 2) {
        onHit(from + (this.#hits[at] ?? 0), bareLineFeeds + (this.#hits[at + 1] ?? 0));
      }
      bareLineFeeds += this.#exports.bareLineFeeds();
    }
    return bareLineFeeds;
  }

  /** Copies source octets from `from` up to `to` into the input area and returns how many there were. */
  #load(source: Uint8Array, from: number, to: number): number {
    const slice = from === 0 && to >= source.length ? source : source.subarray(from, to);
    this.#input.set(slice);
    return slice.length;
  }
}
