// The hot loops over message octets, in AssemblyScript: TypeScript's syntax, compiled to WebAssembly with 128-bit SIMD
// by build.mjs. It knows no policy: kernel-simd.ts cuts the input into slices that fit, and kernel-plain.ts says the
// same in plain TypeScript. A property test holds the two equal.
//
// Memory is one fixed layout, nothing is allocated: 64 KiB of small things, the input with room for reading past its
// end, the output, which is twice the input at worst, and slabs that are encoded into in place of the output, with room
// behind each for writing past its end. Hits of a scan lie where the output would.
//
// Most blocks of 16 octets have no line feed, so that is looked for first, and nothing else where there is none.

const PREFIX: usize = 0x400;
const BARE_LINE_FEEDS: usize = 0x410;
const INPUT: usize = 0x10000;
const OUTPUT: usize = 0x30000;
const INPUT_OCTETS: u32 = 0x10000;
const SLABS: usize = 0x60000;

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

/** Where the slabs begin; they go on to the end of the memory. */
export function slabsOffset(): usize {
  return SLABS;
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

/** Writes the octets as they go over the wire to `target`, and up to 32 more behind them; returns how many they have become. */
export function encode(octets: u32, previousOctet: u8, target: usize): u32 {
  store<u8>(INPUT - 1, previousOctet);
  const end = INPUT + octets;
  let out = target;
  let bare: u32 = 0;
  let afterFeed = previousOctet == LF ? 1 : 0;
  for (let from = INPUT; from < end; from += 16) {
    const block = v128.load(from);
    v128.store(out, block);
    const feeds = i8x16.bitmask(i8x16.eq(block, i8x16.splat(LF)));
    if ((feeds | afterFeed) == 0) {
      out += min<usize>(16, end - from);
      continue;
    }
    const mask = inside(from, end);
    const dots = i8x16.bitmask(i8x16.eq(block, i8x16.splat(DOT))) & ((feeds << 1) | afterFeed) & mask;
    const bareFeeds = bareMask(block, v128.load(from - 1)) & mask;
    bare += popcnt(bareFeeds);
    out = insertAll(bareFeeds | dots, from, out) + min<usize>(16, end - from);
    afterFeed = (feeds >> 15) & 1;
  }
  store<u32>(BARE_LINE_FEEDS, bare);
  return u32(out - target);
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
  const lastStart = INPUT + available - prefixOctets;
  let hit = OUTPUT;
  let bare: u32 = 0;
  let afterFeed = previousOctet == LF ? 1 : 0;
  for (let from = INPUT; from < end; from += 16) {
    const block = v128.load(from);
    const feeds = i8x16.bitmask(i8x16.eq(block, i8x16.splat(LF)));
    if ((feeds | afterFeed) == 0) continue;
    const mask = inside(from, end);
    const bareFeeds = bareMask(block, v128.load(from - 1)) & mask;
    let bits = i8x16.bitmask(i8x16.eq(block, first)) & ((feeds << 1) | afterFeed) & mask;
    while (bits != 0) {
      const at = ctz(bits);
      bits &= bits - 1;
      if (from + at > lastStart || !hasPrefix(from + at, prefixOctets)) continue;
      store<u32>(hit, u32(from + at - INPUT));
      store<u32>(hit + 4, bare + popcnt(bareFeeds & ((1 << at) - 1)));
      hit += 8;
    }
    bare += popcnt(bareFeeds);
    afterFeed = (feeds >> 15) & 1;
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
