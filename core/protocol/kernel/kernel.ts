// The hot loops over message octets, in AssemblyScript: TypeScript's syntax, compiled to WebAssembly with 128-bit SIMD
// by build.mjs. It knows no policy: kernel-simd.ts cuts the input into slices that fit, and kernel-plain.ts says the
// same in plain TypeScript. A property test holds the two equal.
//
// Memory is one fixed layout, nothing is allocated: 64 KiB of small things, the input with room for reading past its
// end, and the output, which is twice the input at worst. Hits of a scan lie where the output would.

const PREFIX: usize = 0x400;
const BARE_LINE_FEEDS: usize = 0x410;
const INPUT: usize = 0x10000;
const OUTPUT: usize = 0x30000;
const INPUT_OCTETS: u32 = 0x10000;

const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const DOT: u8 = 0x2e;

export function prefixOffset(): usize {
  return PREFIX;
}

export function inputOffset(): usize {
  return INPUT;
}

export function inputOctets(): u32 {
  return INPUT_OCTETS;
}

export function outputOffset(): usize {
  return OUTPUT;
}

/** Bare line feeds seen by the last encode or scan. */
export function bareLineFeeds(): u32 {
  return load<u32>(BARE_LINE_FEEDS);
}

export function countLineFeeds(octets: u32): u32 {
  const end = INPUT + octets;
  let count: u32 = 0;
  for (let from = INPUT; from < end; from += 16) {
    count += popcnt(i8x16.bitmask(i8x16.eq(v128.load(from), i8x16.splat(LF))) & inside(from, end));
  }
  return count;
}

export function countBareLineFeeds(octets: u32, previousOctet: u8): u32 {
  store<u8>(INPUT - 1, previousOctet);
  const end = INPUT + octets;
  let count: u32 = 0;
  for (let from = INPUT; from < end; from += 16) {
    count += popcnt(bareMask(v128.load(from), v128.load(from - 1)) & inside(from, end));
  }
  return count;
}

/** Writes the octets as they go over the wire to the output, and returns how many they have become. */
export function encode(octets: u32, previousOctet: u8): u32 {
  store<u8>(INPUT - 1, previousOctet);
  const end = INPUT + octets;
  let out = OUTPUT;
  let bare: u32 = 0;
  for (let from = INPUT; from < end; from += 16) {
    const block = v128.load(from);
    const before = v128.load(from - 1);
    const mask = inside(from, end);
    const bareBits = bareMask(block, before) & mask;
    const dotBits = i8x16.bitmask(
      v128.and(i8x16.eq(block, i8x16.splat(DOT)), i8x16.eq(before, i8x16.splat(LF))),
    );
    v128.store(out, block);
    bare += popcnt(bareBits);
    out = insertAll(bareBits | (dotBits & mask), from, out) + min<usize>(16, end - from);
  }
  store<u32>(BARE_LINE_FEEDS, bare);
  return u32(out - OUTPUT);
}

/**
 * Puts an octet before each marked one: CR before a line feed, a dot before a dot. What follows it is stored again one
 * further on, 16 octets at a time: what that writes too much, the next store puts right. Gives the output address
 * that belongs to `from` now.
 */
function insertAll(bits: i32, from: usize, out: usize): usize {
  while (bits != 0) {
    const at = ctz(bits);
    const source = from + at;
    const target = out + at;
    store<u8>(target, load<u8>(source) == LF ? CR : DOT);
    v128.store(target + 1, v128.load(source));
    out += 1;
    bits &= bits - 1;
  }
  return out;
}

/**
 * Finds the lines among the first `octets` that begin with the prefix, which has to end within `available`. Each hit is
 * two u32 in the output: its index, and the bare line feeds before it. Returns how many hits there are.
 */
export function scan(octets: u32, available: u32, previousOctet: u8, prefixOctets: u32): u32 {
  store<u8>(INPUT - 1, previousOctet);
  const end = INPUT + octets;
  const first = i8x16.splat(load<u8>(PREFIX));
  const last = i8x16.splat(load<u8>(PREFIX + prefixOctets - 1));
  const lastStart = INPUT + available - prefixOctets;
  let hit = OUTPUT;
  let bare: u32 = 0;
  for (let from = INPUT; from < end; from += 16) {
    const block = v128.load(from);
    const before = v128.load(from - 1);
    const mask = inside(from, end);
    const bareBits = bareMask(block, before) & mask;
    const starts = v128.and(
      v128.and(i8x16.eq(block, first), i8x16.eq(before, i8x16.splat(LF))),
      i8x16.eq(v128.load(from + prefixOctets - 1), last),
    );
    let bits = i8x16.bitmask(starts) & mask;
    while (bits != 0) {
      const at = ctz(bits);
      bits &= bits - 1;
      if (from + at > lastStart || !hasPrefix(from + at, prefixOctets)) continue;
      store<u32>(hit, u32(from + at - INPUT));
      store<u32>(hit + 4, bare + popcnt(bareBits & ((1 << at) - 1)));
      hit += 8;
    }
    bare += popcnt(bareBits);
  }
  store<u32>(BARE_LINE_FEEDS, bare);
  return u32((hit - OUTPUT) >> 3);
}

function hasPrefix(at: usize, prefixOctets: u32): bool {
  for (let index: u32 = 0; index < prefixOctets; index++) {
    if (load<u8>(at + index) != load<u8>(PREFIX + index)) return false;
  }
  return true;
}

/** One bit for each line feed of the block that no carriage return stands before. */
function bareMask(block: v128, before: v128): i32 {
  return i8x16.bitmask(v128.andnot(i8x16.eq(block, i8x16.splat(LF)), i8x16.eq(before, i8x16.splat(CR))));
}

/** One bit for each octet of the block that lies before the end. */
function inside(from: usize, end: usize): i32 {
  const left = end - from;
  return left >= 16 ? 0xffff : (1 << i32(left)) - 1;
}
